using System.Data.Common;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb.Push;

/// <summary>
/// <c>POST push/{collection}</c>: judges the rows in order and answers with the documents of those that were not right, as
/// RxDB wants it: <c>[]</c> for none. Several rows share a commit; where one cannot be done, what came before it is committed
/// and it is refused alone. So every answer but a 5xx, a 401 and a 426 means that all rows are done with.
/// </summary>
internal sealed partial class PushService(
    IStore store,
    RxCollectionSet collections,
    RxDocuments documents,
    RxDbInstruments instruments,
    IOptions<RxDbOptions> options,
    IServiceProvider services,
    ILogger<PushService> logger
)
{
    private const int MaxRemembered = 10_000;
    private const int MaxRefusalsTold = 50;

    // Rows that took too long, and how often. Guards itself; bounded by MaxRemembered.
    private readonly Dictionary<string, int> _overruns = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public async Task ServeAsync(HttpContext context, string collectionName)
    {
        var caller = context.RequireCaller();
        var collection = SchemaCheck.Require(context, collections, collectionName);
        var utf8 = await RequestBody.ReadUtf8Async(context, options.Value.MaxPushBytes, context.RequestAborted);
        var rows = PushRequest.Read(utf8, collection, options.Value);
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

    /// <summary>Commits some rows from <paramref name="from"/> on: at least one, or it throws.</summary>
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
                // Not the request's token: what the user did is kept although the page has gone.
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
                // What came before it is known to work: commit up to here, so that nothing is done over and over.
                to = exception.Index + 1;
            }
            catch (DbException exception) when (run.Running is { } index && !failed.ContainsKey(index))
            {
                // The store has let it through: it was not the store's own trouble.
                Report(collection, rows[index], exception);
                failed.Add(index, ErrorCode.Internal.Code);
                to = index + 1;
            }
            catch (DunlinException exception)
                when (exception.Code == ErrorCode.StoreUnavailable && run.Running is { } slow && run.Limit.IsCancellationRequested)
            {
                // Together they took too long; perhaps alone none does. The one that does so alone is the fault.
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

    // RxDB has no word for "refused": the answer looks like any conflict. Whoever wants to tell the user reads this header.
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
