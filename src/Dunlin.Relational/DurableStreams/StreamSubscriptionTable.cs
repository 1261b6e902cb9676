using Dunlin.DurableStreams;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.DurableStreams;

/// <summary>The subscriptions of streams of one scope. A unit of work holds the lock of the writer, so the rows cannot change
/// concurrently. Not thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="isWritable">Whether the scope is a unit of work.</param>
internal sealed class StreamSubscriptionTable(Func<ISqlSession> session, bool isWritable) : IStreamSubscriptionTable
{
    public ValueTask<StreamSubscription?> FindAsync(string id, CancellationToken cancellationToken) =>
        session().Call("stream_subscription_find").Text(id).FindAsync(ReadRow, cancellationToken);

    public async ValueTask SaveAsync(StreamSubscription row, CancellationToken cancellationToken) =>
        await Writable()
            .Call("stream_subscription_save")
            .Text(row.Id)
            .Text(row.Owner)
            .Text(row.Pattern)
            .Text(row.WakeTopic)
            .Time(row.DueAt)
            .Text(row.Encode())
            .RunAsync(cancellationToken);

    public async ValueTask RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await Writable().Call("stream_links_remove").Text(id).RunAsync(cancellationToken);
        await Writable().Call("stream_subscription_remove").Text(id).RunAsync(cancellationToken);
    }

    public ValueTask<IReadOnlyList<StreamSubscriptionKey>> ListKeysAsync(CancellationToken cancellationToken) =>
        session()
            .Call("stream_subscription_keys")
            .ListAsync(
                static row => new StreamSubscriptionKey(row.Text(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3)),
                cancellationToken
            );

    public ValueTask<IReadOnlyList<StreamSubscription>> ListDueAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        session().Call("stream_subscription_due").Time(now).Number(limit).ListAsync(ReadRow, cancellationToken);

    public ValueTask<DateTimeOffset?> FindNextDueAsync(CancellationToken cancellationToken) =>
        session().Call("stream_subscription_next").FindAsync(static row => row.TimeOrNull(0), cancellationToken);

    public ValueTask<StreamLink?> FindLinkAsync(string id, TopicName topic, CancellationToken cancellationToken) =>
        session().Call("stream_link_find").Text(id).Text(topic.Value).FindAsync(ReadLink, cancellationToken);

    public ValueTask<IReadOnlyList<StreamLink>> ListLinksAsync(
        string id,
        bool pendingOnly,
        int limit,
        CancellationToken cancellationToken
    ) =>
        session()
            .Call(pendingOnly ? "stream_links_pending" : "stream_links_list")
            .Text(id)
            .Number(limit)
            .ListAsync(ReadLink, cancellationToken);

    public ValueTask<IReadOnlyList<StreamLink>> ListLinksOfAsync(TopicName topic, CancellationToken cancellationToken) =>
        session().Call("stream_links_of_topic").Text(topic.Value).ListAsync(ReadLink, cancellationToken);

    public async ValueTask SaveLinkAsync(StreamLink link, CancellationToken cancellationToken) =>
        await Writable()
            .Call("stream_link_save")
            .Text(link.SubscriptionId)
            .Text(link.Topic.Value)
            .Number((int)link.Kinds)
            .Number(link.Acked)
            .Number(link.Tail)
            .RunAsync(cancellationToken);

    public async ValueTask RemoveLinkAsync(string id, TopicName topic, CancellationToken cancellationToken) =>
        await Writable().Call("stream_link_remove").Text(id).Text(topic.Value).RunAsync(cancellationToken);

    public ValueTask<IReadOnlyList<TopicName>> ListStreamsAsync(
        string prefix,
        string after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        session()
            .Call("stream_list")
            .Text(prefix + '/')
            .Text(prefix + '0') // '0' follows '/'
            .Text(after)
            .Number(limit)
            .ListAsync(static row => TopicName.FromStored(row.Text(0)), cancellationToken);

    public ValueTask<long?> FindScannedAsync(CancellationToken cancellationToken) =>
        session().Call("stream_scan_find").FindAsync<long?>(static row => row.IsNull(0) ? null : row.Number(0), cancellationToken);

    public async ValueTask SaveScannedAsync(long? through, CancellationToken cancellationToken) =>
        await Writable().Call("stream_scan_save").Number(through).RunAsync(cancellationToken);

    private static StreamSubscription ReadRow(ISqlRow row) => StreamSubscription.Decode(row.Text(0), row.TimeOrNull(1));

    private static StreamLink ReadLink(ISqlRow row) =>
        new(row.Text(0), TopicName.FromStored(row.Text(1)))
        {
            Kinds = (StreamLinkKinds)row.Number(2),
            Acked = row.Number(3),
            Tail = row.Number(4),
        };

    private ISqlSession Writable() =>
        isWritable ? session() : throw new InvalidOperationException("A read scope cannot change subscriptions. Use a unit of work.");
}
