using Dunlin.Diagnostics;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Nodes;
using Microsoft.Extensions.Options;

namespace Dunlin.Simulation.Storage;

/// <summary>One node's access to the database, over a network that delays, cuts and loses replies.</summary>
/// <remarks>
/// A node has one write on its way at a time, as the writers of the real stores do, so it publishes its commits in their order. Promises of
/// the errors: after <see cref="ErrorCode.StoreUnavailable"/> nothing is committed; after <see cref="ErrorCode.OutcomeUnknown"/> it may be.
/// </remarks>
internal sealed class SimStore(SimNode node, CommitFeed feed, StoreClock clock, IOptions<RetentionOptions> retention)
    : IJournal,
        IStore,
        IStoreHealth,
        ILeaseStore
{
    private readonly Queue<TaskCompletionSource> _queue = new();
    private LeaseService? _leases;
    private bool _isWriting;
    private long _known;

    public Position Head => At(_known);

    public Exception? Fault => null;

    public CancellationToken Faulted => CancellationToken.None;

    private SimDatabase Database => node.Cluster.Database;

    private FaultPlan Faults => node.Cluster.Faults;

    /// <summary>Reads the head, as the watcher of a real store does, and announces what other nodes have committed.</summary>
    public async Task ObserveAsync()
    {
        await CrossAsync();
        var head = Database.Head;
        await CrossAsync();
        if (head <= _known)
            return;
        _known = head;
        feed.NotifyHead(At(head));
    }

    public async ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken)
    {
        await ObserveAsync();
        return Head;
    }

    public async ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    )
    {
        AppendRules.Check(drafts, idempotency);
        var fingerprint = AppendRules.Fingerprint(drafts);
        return await ExecuteAsync<IReadOnlyList<Position>>(
            (unit, _) =>
            {
                if (idempotency is not null && Database.Answers.TryGetValue(idempotency, out var earlier))
                    return new(
                        earlier.Fingerprint.AsSpan().SequenceEqual(fingerprint)
                            ? earlier.Positions
                            : throw AppendRules.KeyReused(idempotency)
                    );
                var first = unit.Append(drafts[0]);
                foreach (var draft in drafts.Skip(1))
                    unit.Append(draft);
                return new(new PositionRange(first, drafts.Count));
            },
            positions =>
            {
                if (idempotency is not null && node.Cluster.Sabotage != Sabotage.KeysAreForgotten)
                    Database.Answers.TryAdd(idempotency, (fingerprint, (PositionRange)positions));
            },
            cancellationToken
        );
    }

    public ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    ) => ExecuteAsync((unit, ct) => work(unit, ct), null, cancellationToken);

    public async ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    )
    {
        await CrossAsync();
        var rows = Database.Rows;
        var scope = new InMemoryReadScope(
            At(Database.Head),
            rows.Leases,
            rows.Records,
            rows.Streams,
            rows.Consumers,
            rows.Webhooks,
            Database.LastEvent,
            clock.Now
        );
        var result = await read(scope, cancellationToken);
        scope.End();
        await CrossAsync();
        return result;
    }

    public async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        await CrossAsync();
        var page = Database.Read(query);
        await CrossAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return page;
    }

    public async ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken)
    {
        await CrossAsync();
        return Database.Find(foreignId) is { } offset ? At(offset) : null;
    }

    public async ValueTask<long> TrimAsync(CancellationToken cancellationToken)
    {
        await CrossAsync();
        return Database.Trim(retention.Value, clock.Now);
    }

    void ILeaseStore.UseLeases(LeaseService service) => _leases = service;

    private async ValueTask<T> ExecuteAsync<T>(
        Func<InMemoryUnit, CancellationToken, ValueTask<T>> work,
        Action<T>? committing,
        CancellationToken cancellationToken
    )
    {
        await EnterAsync();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await CrossAsync();
            var session = await Database.LockAsync(node.Scheduler);
            try
            {
                return await InSessionAsync(session, work, committing, cancellationToken);
            }
            finally
            {
                Database.Unlock(session);
            }
        }
        finally
        {
            Leave();
        }
    }

    private async ValueTask<T> InSessionAsync<T>(
        long session,
        Func<InMemoryUnit, CancellationToken, ValueTask<T>> work,
        Action<T>? committing,
        CancellationToken cancellationToken
    )
    {
        var rows = node.Cluster.Sabotage == Sabotage.LostUpdateOfLeases && node.World.Chance(0.3) ? Database.RowsBefore : Database.Rows;
        var head = At(Database.Head);
        var unit = new InMemoryUnit(
            head,
            rows.Leases,
            rows.Records,
            rows.Streams,
            rows.Consumers,
            rows.Webhooks,
            Database.LastEvent,
            clock,
            _leases
        );
        T result;
        try
        {
            result = await work(unit, cancellationToken);
        }
        finally
        {
            unit.End();
        }
        await CrossAsync();
        if (!Database.Owns(session))
            throw Unavailable("the database ended the session");
        if (Database.IsFull && unit.Events.Count > 0)
            throw Unavailable("the disk is full");
        var events = unit.Events;
        if (node.Cluster.Sabotage == Sabotage.CommitIsLost && node.World.Chance(0.05))
            return result;
        if (node.Cluster.Sabotage == Sabotage.OffsetIsReused && node.World.Chance(0.05) && events.Count > 0)
            events = [.. events, events[^1]];
        Database.Commit(new SimRows(unit.Rows, unit.RecordRows, unit.StreamRows, unit.ConsumerRows, unit.WebhookRows), events);
        committing?.Invoke(result);
        node.Trace($"commits {events.Count} events, head {Database.Head}");
        Database.Unlock(session);
        await ReplyAsync();
        if (events.Count > 0)
        {
            _known = Math.Max(_known, events[^1].Position.Offset);
            feed.Publish(events);
        }
        unit.RunCommitted();
        return result;
    }

    // The reply to a commit: if it is lost, the node learns of the events by the head, like those of another node.
    private async Task ReplyAsync()
    {
        var isLost = node.World.Chance(Faults.LostReply);
        await node.DelayAsync();
        if (isLost || node.IsPartitioned)
            throw new DunlinException(ErrorCode.OutcomeUnknown, "Simulated: the reply of the commit was lost.");
    }

    // A message to the database or back, before anything is committed.
    private async Task CrossAsync()
    {
        var isCut = node.World.Chance(Faults.StoreCut);
        await node.DelayAsync();
        if (isCut || node.IsPartitioned)
            throw Unavailable("the connection was cut");
    }

    private async Task EnterAsync()
    {
        if (!_isWriting)
        {
            _isWriting = true;
            return;
        }
        var turn = new TaskCompletionSource();
        _queue.Enqueue(turn);
        await turn.Task;
    }

    private void Leave()
    {
        if (_queue.TryDequeue(out var next))
            next.SetResult();
        else
            _isWriting = false;
    }

    private Position At(long offset) => new(Database.Epoch, offset);

    private static DunlinException Unavailable(string reason) => new(ErrorCode.StoreUnavailable, $"Simulated: {reason}.");
}
