using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Limits;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache.Push;

/// <summary>Serves <c>POST push</c>: runs the pending mutations of a group in order. Thread-safe.</summary>
/// <remarks>
/// Several mutations share a commit. If a mutator throws, the commit is rolled back. The mutations before it run again and commit, and the
/// failed mutation is skipped: its id is used, but its changes are not made. Status 200 means that all mutations are processed. Any other
/// status makes the client send the remaining ones again.
/// </remarks>
internal sealed partial class PushService(
    IStore store,
    MutatorSet mutators,
    ReplicacheInstruments instruments,
    IOptions<ReplicacheOptions> options,
    IServiceProvider services,
    UserRates rates,
    TimeProvider time,
    ILogger<PushService> logger
)
{
    private const int MaxRemembered = 10_000;

    private readonly PushLimits _limits = new(options.Value, rates, time);

    // The number of time-outs per mutation. _lock guards it, and MaxRemembered limits its size.
    private readonly Dictionary<(string ClientId, long Id), int> _overruns = [];
    private readonly Lock _lock = new();

    public async Task<IResult> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var (body, utf8) = await WireReader.ReadAsync(context, options.Value.MaxPushBytes);
        if (WireReader.Version(body, "pushVersion") != 1)
            return ClientErrors.VersionNotSupported("push");
        var request = PushRequest.Of(body, utf8);
        if (options.Value.SchemaVersions.Count > 0 && !options.Value.SchemaVersions.Contains(request.SchemaVersion))
            return ClientErrors.VersionNotSupported("schema");
        return await RunAsync(request, caller) switch
        {
            PushStop.UnknownClient => ClientErrors.ClientStateNotFound,
            PushStop.Gap => throw new DunlinException(
                ErrorCode.Conflict,
                "A mutation id is missing before one of these. Send all pending mutations, oldest first."
            ),
            _ => Results.Json(new { }),
        };
    }

    private async ValueTask<PushStop> RunAsync(PushRequest request, Caller caller)
    {
        var failed = new HashSet<int>();
        var budget = _limits.Begin(caller.UserId);
        var (next, end) = (0, 0);
        // An empty push also runs once, to check the group.
        do
        {
            end = Math.Max(Math.Min(next + options.Value.MutationsPerCommit, request.Mutations.Count), next);
            var (stop, reached) = await RunSliceAsync(request, next, end, failed, budget, caller);
            if (stop == PushStop.Limit)
                throw budget.Refusal!;
            if (stop != PushStop.None)
                return stop;
            next = reached;
        } while (next < request.Mutations.Count);
        return PushStop.None;
    }

    /// <summary>Commits mutations starting at <paramref name="from"/>: at least one, or it throws.</summary>
    private async ValueTask<(PushStop Stop, int Next)> RunSliceAsync(
        PushRequest request,
        int from,
        int to,
        HashSet<int> failed,
        PushBudget budget,
        Caller caller
    )
    {
        while (true)
        {
            var run = new PushRun(request, from, to, failed, budget, caller, mutators, services, options.Value);
            try
            {
                // The token of the request is not passed on: the user's changes are kept even if the page has disconnected.
                var stop = await store.WriteAsync(run.RunAsync, CancellationToken.None);
                Count(run, from, failed);
                return (stop, run.Next);
            }
            catch (MutatorFailedException exception)
            {
                Report(request, exception);
                failed.Add(exception.Index);
                // The mutations before the failed one succeed. Commit up to it, so that they do not run again for each later failure.
                to = exception.Index + 1;
            }
            catch (DunlinException exception)
                when (exception.Code == ErrorCode.StoreUnavailable && run.Running is { } slow && run.Limit.IsCancellationRequested)
            {
                // The run took too long, but a single mutation may not. Reduce the run until one mutation alone exceeds the limit.
                if (to - from > 1)
                    to = slow > from ? slow : from + 1;
                else if (OverrunsOf(request.Mutations[from]) < options.Value.MaxOverruns)
                    throw;
                else
                    FailOverrun(request, from, failed, exception);
            }
        }
    }

    private void FailOverrun(PushRequest request, int index, HashSet<int> failed, DunlinException exception)
    {
        var mutation = request.Mutations[index];
        LogFailed(exception, mutation.Name, mutation.Id, mutation.ClientId);
        instruments.Mutations("failed", 1);
        failed.Add(index);
        lock (_lock)
            _overruns.Remove((mutation.ClientId, mutation.Id));
    }

    private int OverrunsOf(PushedMutation mutation)
    {
        lock (_lock)
        {
            if (_overruns.Count >= MaxRemembered)
                _overruns.Clear();
            return _overruns[(mutation.ClientId, mutation.Id)] = _overruns.GetValueOrDefault((mutation.ClientId, mutation.Id)) + 1;
        }
    }

    private void Count(PushRun run, int from, HashSet<int> failed)
    {
        instruments.Mutations("applied", run.Applied - failed.Count(index => index >= from && index < run.Next));
        instruments.Mutations("repeated", run.Repeated);
    }

    private void Report(PushRequest request, MutatorFailedException exception)
    {
        var mutation = request.Mutations[exception.Index];
        switch (exception.InnerException)
        {
            case UnknownMutatorException:
                LogUnknown(mutation.Name, mutation.Id, mutation.ClientId);
                instruments.Mutations("unknown", 1);
                break;
            case DunlinException refused:
                LogRefused(mutation.Name, mutation.Id, mutation.ClientId, refused.Code.Code, refused.Message);
                instruments.Mutations("failed", 1);
                break;
            default:
                LogFailed(exception.InnerException!, mutation.Name, mutation.Id, mutation.ClientId);
                instruments.Mutations("failed", 1);
                break;
        }
    }

    [LoggerMessage(
        5000,
        LogLevel.Warning,
        "No mutator '{Name}': mutation {Id} of client {Client} was skipped. Register the mutator, or upgrade the page."
    )]
    private partial void LogUnknown(PeerText name, long id, PeerText client);

    [LoggerMessage(5001, LogLevel.Information, "Mutation '{Name}' {Id} of client {Client} was refused with {Code} and skipped: {Reason}")]
    private partial void LogRefused(PeerText name, long id, PeerText client, string code, PeerText reason);

    [LoggerMessage(5002, LogLevel.Error, "Mutation '{Name}' {Id} of client {Client} failed and was skipped. Correct the mutator.")]
    private partial void LogFailed(Exception exception, PeerText name, long id, PeerText client);
}
