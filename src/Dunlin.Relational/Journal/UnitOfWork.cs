using System.Data.Common;
using Dunlin.Consumers;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Relational.Consumers;
using Dunlin.Relational.DurableStreams;
using Dunlin.Relational.Leases;
using Dunlin.Relational.Records;
using Dunlin.Relational.Sql;
using Dunlin.Relational.Webhooks;
using Dunlin.Webhooks;

namespace Dunlin.Relational.Journal;

/// <summary>A unit of work: a savepoint in the open transaction of the writer, which holds the lock of all writers. Not
/// thread-safe.</summary>
internal sealed class UnitOfWork(WriteTransaction transaction, LeaseService? leases)
    : RunningUnit,
        IUnitOfWork,
        ILeaseScope,
        IRecordScope,
        IStreamScope,
        IConsumerScope,
        IWebhookScope
{
    private LeaseTable? _leases;
    private RecordTable? _records;
    private StreamTable? _streams;

    public DbConnection Connection => Session.Connection;

    public DbTransaction Transaction => Open.Transaction;

    public ISqlSession Session => Open.Session;

    public DateTimeOffset Now { get; } = transaction.Now;

    public ILeaseTable LeaseTable => _leases ??= new LeaseTable(() => Open.Session, ct => Open.NextFencingTokenAsync(ct));

    public LeaseService? LeaseService => leases;

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    public IStreamTable Streams => _streams ??= new StreamTable(() => Open.Session, () => Open);

    public IStreamSubscriptionTable StreamSubscriptions => new StreamSubscriptionTable(() => Open.Session, isWritable: true);

    public IConsumerTable Consumers => new ConsumerTable(() => Open.Session, isWritable: true);

    public IWebhookTable Webhooks => new WebhookTable(() => Open.Session, isWritable: true);

    private RecordTable Table => _records ??= new RecordTable(() => Open.Session, isWritable: true);

    private WriteTransaction Open
    {
        get
        {
            ThrowIfEnded();
            return transaction;
        }
    }

    public ValueTask<Position> AppendAsync(EventDraft draft, CancellationToken cancellationToken = default)
    {
        Open.Check(draft);
        return new(transaction.Append(draft));
    }

    public ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default) => new(Open.NextPosition);
}

/// <summary>A snapshot for reading. It includes at least all events up to <paramref name="position"/>. A stream that resumes from there
/// delivers later events again. Not thread-safe.</summary>
internal sealed class ReadScope(ISqlSession session, Position position, DateTimeOffset now)
    : IReadScope,
        ILeaseScope,
        IRecordScope,
        IStreamScope,
        IConsumerScope,
        IWebhookScope
{
    private LeaseTable? _leases;
    private RecordTable? _records;
    private StreamTable? _streams;
    private volatile bool _ended;

    public DbConnection Connection => Session.Connection;

    public ISqlSession Session =>
        _ended ? throw new InvalidOperationException("The read scope has ended. Use it inside its callback only.") : session;

    public ILeaseTable LeaseTable => _leases ??= new LeaseTable(() => Session, nextFencingToken: null);

    public Position Position => position;

    public DateTimeOffset Now => now;

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    public IStreamTable Streams => _streams ??= new StreamTable(() => Session, transaction: null);

    public IStreamSubscriptionTable StreamSubscriptions => new StreamSubscriptionTable(() => Session, isWritable: false);

    public IConsumerTable Consumers => new ConsumerTable(() => Session, isWritable: false);

    public IWebhookTable Webhooks => new WebhookTable(() => Session, isWritable: false);

    private RecordTable Table => _records ??= new RecordTable(() => Session, isWritable: false);

    public void End() => _ended = true;
}
