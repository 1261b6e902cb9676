using System.Diagnostics;
using System.Security.Cryptography;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.InMemory;

/// <summary>
/// The reference implementation of <see cref="IJournal"/> and <see cref="IStore"/>, in memory. Thread-safe. All data is lost when the
/// process ends.
/// </summary>
/// <remarks>
/// It meets the conformance suites in the simplest way: one writer at a time, with changes that become visible at the commit. It has no
/// database, so <see cref="IUnitOfWork.Connection"/> throws.
/// </remarks>
/// <param name="feed">The feed for commits.</param>
/// <param name="clock">The clock for timestamps and expiry.</param>
/// <param name="retention">The retention rules.</param>
internal sealed class InMemoryStore(CommitFeed feed, StoreClock clock, IOptions<RetentionOptions> retention)
    : IJournal,
        IStore,
        IStoreHealth,
        ILeaseStore,
        IDisposable
{
    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly AsyncLocal<InMemoryUnit?> _current = new();
    private readonly uint _epoch = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
    private readonly Dictionary<IdempotencyKey, Answer> _answers = [];

    // Guards _events, _leases, _records, _streams, _consumers and _webhooks, so that a read scope sees the state of one commit.
    private readonly Lock _state = new();
    private readonly EventList _events = new();
    private LeaseRows _leases = LeaseRows.Empty;
    private RecordRows _records = RecordRows.Empty;
    private StreamRows _streams = StreamRows.Empty;
    private ConsumerRows _consumers = ConsumerRows.Empty;
    private WebhookRows _webhooks = WebhookRows.Empty;
    private long _head;
    private LeaseService? _leaseService;

    /// <inheritdoc/>
    public Position Head => new(_epoch, Volatile.Read(ref _head));

    /// <inheritdoc/>
    public ValueTask<long?> ReadSizeAsync(CancellationToken cancellationToken)
    {
        lock (_state)
            return new(_events.Bytes);
    }

    /// <inheritdoc/>
    public Exception? Fault => null;

    /// <inheritdoc/>
    public CancellationToken Faulted => CancellationToken.None;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    )
    {
        AppendRules.Check(drafts, idempotency);
        var fingerprint = idempotency is null ? [] : AppendRules.Fingerprint(drafts);
        RefuseNesting();
        await _writer.WaitAsync(cancellationToken);
        try
        {
            if (idempotency is not null && _answers.TryGetValue(idempotency, out var earlier))
                return earlier.Fingerprint.AsSpan().SequenceEqual(fingerprint)
                    ? earlier.Positions
                    : throw AppendRules.KeyReused(idempotency);
            var unit = new InMemoryUnit(Head, _leases, _records, _streams, _consumers, _webhooks, LastEvent, clock, _leaseService);
            foreach (var draft in drafts)
                unit.Append(draft);
            var positions = new PositionRange(Head with { Offset = Head.Offset + 1 }, drafts.Count);
            Commit(unit, DunlinActivities.Caller);
            if (idempotency is not null)
                _answers[idempotency] = new Answer(fingerprint, positions, clock.Now);
            return positions;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    )
    {
        RefuseNesting();
        await _writer.WaitAsync(cancellationToken);
        try
        {
            var unit = new InMemoryUnit(Head, _leases, _records, _streams, _consumers, _webhooks, LastEvent, clock, _leaseService);
            _current.Value = unit;
            T result;
            try
            {
                result = await work(unit, cancellationToken);
            }
            finally
            {
                unit.End();
            }
            Commit(unit, DunlinActivities.Caller);
            return result;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    )
    {
        InMemoryReadScope scope;
        lock (_state)
            scope = new InMemoryReadScope(Head, _leases, _records, _streams, _consumers, _webhooks, LastEvent, clock.Now);
        try
        {
            return await read(scope, cancellationToken);
        }
        finally
        {
            scope.End();
        }
    }

    /// <inheritdoc/>
    public ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state)
            return new(_events.Read(query, _head));
    }

    /// <inheritdoc/>
    public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state)
            return new(_events.Find(foreignId) is { } offset ? Head with { Offset = offset } : null);
    }

    /// <inheritdoc/>
    public async ValueTask<long> TrimAsync(CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            var now = clock.Now;
            foreach (var (key, answer) in _answers)
            {
                if (answer.Time < now - retention.Value.IdempotencyAge)
                    _answers.Remove(key);
            }
            lock (_state)
            {
                var removed = _events.Trim(retention.Value, now, _streams.ByTopic);
                _streams = _streams.Trimmed();
                return removed;
            }
        }
        finally
        {
            _writer.Release();
        }
    }

    void ILeaseStore.UseLeases(LeaseService service) => _leaseService = service;

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private void Commit(InMemoryUnit unit, Activity? cause)
    {
        using var span = CommitSpan.Start();
        span?.Link(cause);
        lock (_state)
        {
            _events.Add(unit.Events);
            _leases = unit.Rows;
            _records = unit.RecordRows;
            _streams = unit.StreamRows;
            _consumers = unit.ConsumerRows;
            _webhooks = unit.WebhookRows;
            Volatile.Write(ref _head, _head + unit.Events.Count);
        }
        span?.Committed(unit.Events.Count);
        feed.Publish(unit.Events);
        unit.RunCommitted();
    }

    private long LastEvent(TopicName topic)
    {
        lock (_state)
            return _events.LastOf(topic);
    }

    private void RefuseNesting()
    {
        if (_current.Value is { Ended: false })
            throw new InvalidOperationException(
                "A unit of work cannot write through the store: it would wait for itself. Use the open unit of work."
            );
    }

    private sealed record Answer(byte[] Fingerprint, PositionRange Positions, DateTimeOffset Time);
}
