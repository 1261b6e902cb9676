using System.Data.Common;
using Dunlin.Consumers;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Topics;
using Dunlin.Webhooks;

namespace Dunlin.InMemory;

/// <summary>The uncommitted changes of one unit of work. Discarding them is the rollback.</summary>
internal sealed class InMemoryUnit(
    Position head,
    LeaseRows rows,
    RecordRows records,
    StreamRows streams,
    ConsumerRows consumers,
    WebhookRows webhooks,
    Func<TopicName, long> lastEvent,
    StoreClock clock,
    LeaseService? leases
) : IUnitOfWork, ILeaseScope, ILeaseTable, IRecordScope, IStreamScope, IConsumerScope, IWebhookScope
{
    private readonly List<DunlinEvent> _events = [];
    private LeaseRows _rows = rows;
    private InMemoryRecordTable? _table;
    private InMemoryStreamTable? _streams;

    private List<Action>? _committed;

    public bool Ended { get; private set; }

    public void AfterCommit(Action action) => (_committed ??= []).Add(action);

    public void RunCommitted() => _committed?.ForEach(static action => action());

    public IReadOnlyList<DunlinEvent> Events => _events;

    public LeaseRows Rows => _rows;

    public RecordRows RecordRows { get; private set; } = records;

    public StreamRows StreamRows { get; private set; } = streams;

    public ConsumerRows ConsumerRows { get; private set; } = consumers;

    public IStreamTable Streams =>
        _streams ??= new InMemoryStreamTable(
            () =>
            {
                ThrowIfEnded();
                return StreamRows;
            },
            rows => StreamRows = rows,
            topic => _events.FindLast(entry => entry.Topic == topic)?.Position.Offset ?? lastEvent(topic)
        );

    public IStreamSubscriptionTable StreamSubscriptions =>
        new InMemoryStreamSubscriptionTable(
            () =>
            {
                ThrowIfEnded();
                return StreamRows;
            },
            rows => StreamRows = rows
        );

    public WebhookRows WebhookRows { get; private set; } = webhooks;

    public IWebhookTable Webhooks =>
        new InMemoryWebhookTable(
            () =>
            {
                ThrowIfEnded();
                return WebhookRows;
            },
            rows => WebhookRows = rows
        );

    public IConsumerTable Consumers =>
        new InMemoryConsumerTable(
            () =>
            {
                ThrowIfEnded();
                return ConsumerRows;
            },
            rows => ConsumerRows = rows
        );

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    public DbConnection Connection => throw InMemoryReadScope.NoDatabase();

    public DbTransaction Transaction => throw InMemoryReadScope.NoDatabase();

    public DateTimeOffset Now { get; } = clock.Now;

    public ILeaseTable LeaseTable => this;

    public LeaseService? LeaseService => leases;

    public void End() => Ended = true;

    public ValueTask<Position> AppendAsync(EventDraft draft, CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        AppendRules.Check(draft);
        return new(Append(draft));
    }

    public ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        return new(Next);
    }

    private InMemoryRecordTable Table =>
        _table ??= new InMemoryRecordTable(
            () =>
            {
                ThrowIfEnded();
                return RecordRows;
            },
            rows => RecordRows = rows
        );

    private Position Next => head with { Offset = head.Offset + _events.Count + 1 };

    public Position Append(EventDraft draft)
    {
        var position = Next;
        _events.Add(new DunlinEvent(position, draft, clock.EventTime));
        return position;
    }

    public ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(_rows.Find(resource));
    }

    public ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        _rows = _rows.With(row);
        return default;
    }

    public ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        _rows = _rows with { FencingToken = _rows.FencingToken + 1 };
        return new(_rows.FencingToken);
    }

    public ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(_rows.CountHeld(userId, at, limit));
    }

    public ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(_rows.List(query));
    }

    public ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        _rows = _rows.WithoutEnded(before);
        return default;
    }

    private void ThrowIfEnded()
    {
        if (Ended)
            throw new InvalidOperationException("The unit of work has ended. Use it inside its callback only.");
    }
}
