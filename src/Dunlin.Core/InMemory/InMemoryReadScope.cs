using System.Data.Common;
using Dunlin.Consumers;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Topics;
using Dunlin.Webhooks;

namespace Dunlin.InMemory;

/// <summary>A snapshot of the in-memory store.</summary>
internal sealed class InMemoryReadScope(
    Position position,
    LeaseRows rows,
    RecordRows records,
    StreamRows streams,
    ConsumerRows consumers,
    WebhookRows webhooks,
    Func<TopicName, long> lastEvent,
    DateTimeOffset now
) : IReadScope, ILeaseScope, ILeaseTable, IRecordScope, IStreamScope, IConsumerScope, IWebhookScope
{
    private InMemoryRecordTable? _table;
    private InMemoryStreamTable? _streams;
    private bool _ended;

    public DbConnection Connection => throw NoDatabase();

    public ILeaseTable LeaseTable => this;

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    public IStreamTable Streams =>
        _streams ??= new InMemoryStreamTable(
            () =>
            {
                ThrowIfEnded();
                return streams;
            },
            null,
            lastEvent
        );

    public IStreamSubscriptionTable StreamSubscriptions =>
        new InMemoryStreamSubscriptionTable(
            () =>
            {
                ThrowIfEnded();
                return streams;
            },
            null
        );

    public IWebhookTable Webhooks =>
        new InMemoryWebhookTable(
            () =>
            {
                ThrowIfEnded();
                return webhooks;
            },
            null
        );

    public IConsumerTable Consumers =>
        new InMemoryConsumerTable(
            () =>
            {
                ThrowIfEnded();
                return consumers;
            },
            null
        );

    public Position Position => position;

    public DateTimeOffset Now => now;

    public void End() => _ended = true;

    public ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(rows.Find(resource));
    }

    public ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(rows.CountHeld(userId, at, limit));
    }

    public ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return new(rows.List(query));
    }

    public ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken) => throw ReadOnly();

    public ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken) => throw ReadOnly();

    public ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken) => throw ReadOnly();

    internal static NotSupportedException NoDatabase() =>
        new("The in-memory store has no database. Use AddSqlite or AddPostgres if the application has its own tables.");

    private InMemoryRecordTable Table =>
        _table ??= new InMemoryRecordTable(
            () =>
            {
                ThrowIfEnded();
                return records;
            },
            null
        );

    private static InvalidOperationException ReadOnly() => new("A read scope cannot change leases. Use a unit of work.");

    private void ThrowIfEnded()
    {
        if (_ended)
            throw new InvalidOperationException("The read scope has ended. Use it inside its callback only.");
    }
}
