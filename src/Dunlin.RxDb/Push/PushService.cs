using System.Data.Common;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Limits;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb.Push;

/// <summary>Serves <c>POST push/{collection}</c>: processes the rows in order, and returns the documents of the rows that were not
/// accepted, as RxDB requires (<c>[]</c> for none). Thread-safe.</summary>
/// <remarks>
/// Several rows share a commit. If a row cannot be processed, the rows before it commit, and only that row is refused. Each response other
/// than 5xx, 401, 426 and 429 therefore means that all rows are processed.
/// </remarks>
internal sealed partial class PushService(
    IStore store,
    RxCollectionSet collections,
    RxDocuments documents,
    RxDbInstruments instruments,
    IOptions<RxDbOptions> options,
    IServiceProvider services,
    UserRates rates,
    ILogger<PushService> logger
)
{
    private const int MaxRemembered = 10_000;
    private const int MaxRefusalsTold = 50;

    private readonly UserRate _rows = new("rows", options.Value.RowsPerSecond, options.Value.RowBurst);

    // The number of time-outs per row. _lock guards it, and MaxRemembered limits its size.
    private readonly Dictionary<string, int> _overruns = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public async Task ServeAsync(HttpContext context, string collectionName)
    {
        var caller = context.RequireCaller();
        var collection = SchemaCheck.Require(context, collections, collectionName);
        var utf8 = await RequestBody.ReadUtf8Async(context, options.Value.MaxPushBytes, context.RequestAborted);
        var rows = PushRequest.Read(utf8, collection, options.Value);
        rates.Take(_rows, caller.UserId, rows.Count);
        var outcomes = await RunAsync(collection, rows, Leases(context), caller);
        foreach (var outcome in outcomes)
            instruments.Row(collection.Name, outcome.Kind);
        TellRefusals(context, rows, outcomes);
        await AnswerAsync(context, outcomes);
    }

    private async ValueTask<List<RowOutcome>> RunAsync(
        RxCollection collection,
        IReadOnlyList<PushRow> rows,
        IReadOnlyList<string> leases,
        Caller caller
    )
    {
        var failed = new Dictionary<int, string>();
        var outcomes = new List<RowOutcome>(rows.Count);
        while (outcomes.Count < rows.Count)
        {
            var end = Math.Min(outcomes.Count + options.Value.RowsPerCommit, rows.Count);
            outcomes.AddRange(await RunSliceAsync(collection, rows, outcomes.Count, end, failed, leases, caller));
        }
        return outcomes;
    }

    /// <summary>Commits rows starting at <paramref name="from"/>: at least one, or it throws.</summary>
    private async ValueTask<List<RowOutcome>> RunSliceAsync(
        RxCollection collection,
        IReadOnlyList<PushRow> rows,
        int from,
        int to,
        Dictionary<int, string> failed,
        IReadOnlyList<string> leases,
        Caller caller
    )
    {
        while (true)
        {
            var run = new PushRun(collection, rows, from, to, failed, leases, caller, documents, services, options.Value);
            try
            {
                // The token of the request is not passed on: the user's changes are kept even if the page has disconnected.
                await store.WriteAsync(run.RunAsync, CancellationToken.None);
                return run.Outcomes;
            }
            catch (RowFailedException exception)
            {
                Report(collection, rows[exception.Index], exception.InnerException!);
                failed.Add(
                    exception.Index,
                    exception.InnerException is DunlinException refused ? refused.Code.Code : ErrorCode.Internal.Code
                );
                // The rows before the failed one succeed. Commit up to it, so that they do not run again for each later failure.
                to = exception.Index + 1;
            }
            catch (DbException exception) when (run.Running is { } index && !failed.ContainsKey(index))
            {
                // The store has rethrown the exception, so the fault is not transient.
                Report(collection, rows[index], exception);
                failed.Add(index, ErrorCode.Internal.Code);
                to = index + 1;
            }
            catch (DunlinException exception)
                when (exception.Code == ErrorCode.StoreUnavailable && run.Running is { } slow && run.Limit.IsCancellationRequested)
            {
                // The run took too long, but a single row may not. Reduce the run until one row alone exceeds the limit.
                if (to - from > 1)
                    to = slow > from ? slow : from + 1;
                else if (failed.ContainsKey(from) || OverrunsOf(collection, rows[from], caller) < options.Value.MaxOverruns)
                    throw;
                else
                {
                    Report(collection, rows[from], exception);
                    failed.Add(from, ErrorCode.Internal.Code);
                }
            }
        }
    }

    private int OverrunsOf(RxCollection collection, PushRow row, Caller caller)
    {
        var key = $"{caller.UserId}\n{collection.KeyOf(row.Id)}";
        lock (_lock)
        {
            if (_overruns.Count >= MaxRemembered)
                _overruns.Clear();
            var count = _overruns.GetValueOrDefault(key) + 1;
            if (count >= options.Value.MaxOverruns)
                _overruns.Remove(key);
            else
                _overruns[key] = count;
            return count;
        }
    }

    private void Report(RxCollection collection, PushRow row, Exception exception)
    {
        if (exception is DunlinException { Code.Status: < 500 } refused)
            LogRefused(collection.Name, row.Id, refused.Code.Code, refused.Message);
        else
            LogFailed(exception, collection.Name, row.Id);
    }

    // RxDB has no response for a refusal, which looks like a conflict. This header lets the page tell the user.
    private static void TellRefusals(HttpContext context, IReadOnlyList<PushRow> rows, List<RowOutcome> outcomes)
    {
        var told = outcomes
            .Select((outcome, i) => outcome.Refusal is { } code ? $"{Uri.EscapeDataString(Whole(rows[i].Id))};{code}" : null)
            .OfType<string>()
            .Take(MaxRefusalsTold);
        var text = string.Join(", ", told);
        if (text.Length > 0)
            context.Response.Headers["Dunlin-Refused"] = text;
    }

    private static string Whole(string id) => id.Length <= 200 ? id : id[..200];

    private static async Task AnswerAsync(HttpContext context, List<RowOutcome> outcomes)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var body = context.Response.BodyWriter;
        await body.WriteAsync("["u8.ToArray(), context.RequestAborted);
        var isFirst = true;
        foreach (var answer in outcomes.Select(static o => o.Answer).OfType<byte[]>())
        {
            if (!isFirst)
                await body.WriteAsync(","u8.ToArray(), context.RequestAborted);
            isFirst = false;
            await body.WriteAsync(answer, context.RequestAborted);
        }
        await body.WriteAsync("]"u8.ToArray(), context.RequestAborted);
    }

    private static IReadOnlyList<string> Leases(HttpContext context) =>
        ((string?)context.Request.Headers["Dunlin-Lease"])?.Split(
            ',',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
        ) ?? [];

    [LoggerMessage(5100, LogLevel.Information, "Document '{Id}' of collection {Collection} was refused with {Code}: {Reason}")]
    private partial void LogRefused(string collection, PeerText id, string code, PeerText reason);

    [LoggerMessage(
        5101,
        LogLevel.Error,
        "Writing document '{Id}' of collection {Collection} failed; it was refused. Correct the write rule of the collection."
    )]
    private partial void LogFailed(Exception exception, string collection, PeerText id);
}
