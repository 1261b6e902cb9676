using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Tests the subscriptions of durable streams of a store: rows, cursors, the scan of the journal, deliveries and claims.</summary>
public abstract partial class StreamSubscriptionConformance : ConformanceSuite
{
    private const string Prefix = "streams";
    private static readonly TopicName A = TopicName.Parse("streams/a");
    private static readonly TopicName B = TopicName.Parse("streams/b");
    private static readonly TopicName Wake = TopicName.Parse("streams/wake");

    /// <summary>Checks that a row is found as it was saved, and that its removal takes its cursors along.</summary>
    [Fact]
    public async Task A_removed_subscription_leaves_no_cursors()
    {
        var row = Row("s") with
        {
            DueAt = Time.GetUtcNow(),
            Generation = long.MaxValue,
            Snapshot = [new StreamLinkTail(A.Value, 3)],
            Description = "\u00e9 \ud83d\ude00",
        };
        await ChangeAsync(
            async (table, ct) =>
            {
                await table.SaveAsync(Row("s") with { Owner = "somebody" }, ct);
                await table.SaveAsync(row, ct);
                await table.SaveAsync(Row("t") with { Pattern = null, WebhookUrl = null, WakeTopic = Wake.Value }, ct);
                await table.SaveLinkAsync(new StreamLink("s", A), ct);
                await table.SaveLinkAsync(new StreamLink("t", A), ct);
            }
        );
        var found = (await ReadAsync((table, ct) => table.FindAsync("s", ct)))!;
        Assert.Equal(row.Encode(), found.Encode());
        Assert.Equal(row.DueAt, found.DueAt);
        StreamSubscriptionKey[] keys = [new("s", "owner", "streams/**", null), new("t", "owner", null, Wake.Value)];
        Assert.Equal(keys, await ReadAsync((table, ct) => table.ListKeysAsync(ct)));
        await ChangeAsync((table, ct) => table.RemoveAsync("s", ct));
        Assert.Null(await ReadAsync((table, ct) => table.FindAsync("s", ct)));
        Assert.Equal(["t"], (await ReadAsync((table, ct) => table.ListLinksOfAsync(A, ct))).Select(link => link.SubscriptionId));
    }

    /// <summary>Checks the order, the limit and the time of due subscriptions.</summary>
    [Fact]
    public async Task Due_subscriptions_come_earliest_first()
    {
        Assert.Null(await ReadAsync((table, ct) => table.FindNextDueAsync(ct)));
        var now = Time.GetUtcNow();
        await ChangeAsync(
            async (table, ct) =>
            {
                await table.SaveAsync(Row("never"), ct);
                await table.SaveAsync(Row("later") with { DueAt = now + TimeSpan.FromTicks(1) }, ct);
                await table.SaveAsync(Row("second") with { DueAt = now }, ct);
                await table.SaveAsync(Row("first") with { DueAt = now - TimeSpan.FromTicks(1) }, ct);
            }
        );
        Assert.Equal(now - TimeSpan.FromTicks(1), await ReadAsync((table, ct) => table.FindNextDueAsync(ct)));
        Assert.Equal(["first", "second"], await DueAsync(now, 10));
        Assert.Equal(["first"], await DueAsync(now, 1));
        Assert.Equal(["first", "second", "later"], await DueAsync(now + TimeSpan.FromTicks(1), 10));
    }

    /// <summary>Checks that cursors are listed by topic, and pending ones by progress, so that busy streams keep out no others.</summary>
    [Fact]
    public async Task Pending_cursors_come_least_advanced_first()
    {
        await ChangeAsync(
            async (table, ct) =>
            {
                await table.SaveLinkAsync(new StreamLink("s", A) { Acked = 7, Tail = 9 }, ct);
                await table.SaveLinkAsync(
                    new StreamLink("s", B)
                    {
                        Acked = 5,
                        Tail = 6,
                        Kinds = StreamLinkKinds.Explicit,
                    },
                    ct
                );
                await table.SaveLinkAsync(new StreamLink("s", Wake) { Acked = 6, Tail = 6 }, ct);
                await table.SaveLinkAsync(new StreamLink("t", A), ct);
            }
        );
        Assert.Equal([A, B, Wake], await LinksAsync(pendingOnly: false, 10));
        Assert.Equal([A], await LinksAsync(pendingOnly: false, 1));
        Assert.Equal([B, A], await LinksAsync(pendingOnly: true, 10));
        Assert.Equal([B], await LinksAsync(pendingOnly: true, 1));
        await ChangeAsync((table, ct) => table.SaveLinkAsync(new StreamLink("s", B) { Acked = 6, Tail = 6 }, ct));
        Assert.Equal(new StreamLink("s", B) { Acked = 6, Tail = 6 }, await ReadAsync((table, ct) => table.FindLinkAsync("s", B, ct)));
        Assert.Equal([A], await LinksAsync(pendingOnly: true, 10));
        await ChangeAsync((table, ct) => table.RemoveLinkAsync("s", B, ct));
        Assert.Null(await ReadAsync((table, ct) => table.FindLinkAsync("s", B, ct)));
        Assert.Equal(["s", "t"], (await ReadAsync((table, ct) => table.ListLinksOfAsync(A, ct))).Select(link => link.SubscriptionId));
    }

    /// <summary>Checks that the list of streams has live ones below the prefix only, in pages.</summary>
    [Fact]
    public async Task Live_streams_below_a_prefix_are_listed_in_pages()
    {
        foreach (var topic in (string[])["streams/b", "streams/a", "streams/a/x", "streams0/a", "streamsx", "streams/gone"])
            await CreateAsync(TopicName.Parse(topic));
        await DeleteAsync(TopicName.Parse("streams/gone"));
        Assert.Equal(["streams/a", "streams/a/x", "streams/b"], await StreamsAsync("", 10));
        Assert.Equal(["streams/a", "streams/a/x"], await StreamsAsync("", 2));
        Assert.Equal(["streams/b"], await StreamsAsync("streams/a/x", 2));
    }

    /// <summary>Checks that a failed unit of work changes neither rows nor cursors nor the scanned offset.</summary>
    [Fact]
    public async Task A_rolled_back_unit_changes_no_subscription()
    {
        await ChangeAsync((table, ct) => table.SaveScannedAsync(4, ct));
        await Assert.ThrowsAsync<FormatException>(async () =>
            await ChangeAsync(
                async (table, ct) =>
                {
                    await table.SaveAsync(Row("s"), ct);
                    await table.SaveLinkAsync(new StreamLink("s", A), ct);
                    await table.SaveScannedAsync(5, ct);
                    throw new FormatException();
                }
            )
        );
        Assert.Null(await ReadAsync((table, ct) => table.FindAsync("s", ct)));
        Assert.Null(await ReadAsync((table, ct) => table.FindLinkAsync("s", A, ct)));
        Assert.Equal(4, await ReadAsync((table, ct) => table.FindScannedAsync(ct)));
        await ChangeAsync((table, ct) => table.SaveScannedAsync(null, ct));
        Assert.Null(await ReadAsync((table, ct) => table.FindScannedAsync(ct)));
    }

    /// <summary>Checks that a read scope cannot change subscriptions.</summary>
    [Fact]
    public async Task A_read_scope_refuses_changes_of_subscriptions() =>
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await Store.ReadAsync(
                static async (scope, ct) =>
                {
                    await UnitStreamSubscriptions.TableOf(scope).SaveScannedAsync(1, ct);
                    return true;
                },
                Cancellation
            )
        );

    private static StreamSubscription Row(string id) =>
        new(id)
        {
            Owner = "owner",
            Prefix = Prefix,
            Pattern = "streams/**",
            WebhookUrl = "https://hooks.example.com/x",
            LeaseDuration = TimeSpan.FromSeconds(30),
            Root = "https://example.com/streams",
            ConfigurationHash = "hash",
        };

    private ValueTask<T> ReadAsync<T>(Func<IStreamSubscriptionTable, CancellationToken, ValueTask<T>> read) =>
        Store.ReadAsync((scope, ct) => read(UnitStreamSubscriptions.TableOf(scope), ct), Cancellation);

    private async Task ChangeAsync(Func<IStreamSubscriptionTable, CancellationToken, ValueTask> change) =>
        await Store.WriteAsync((unit, ct) => change(UnitStreamSubscriptions.TableOf(unit), ct), Cancellation);

    private async Task<string[]> DueAsync(DateTimeOffset now, int limit) =>
        [.. (await ReadAsync((table, ct) => table.ListDueAsync(now, limit, ct))).Select(row => row.Id)];

    private async Task<TopicName[]> LinksAsync(bool pendingOnly, int limit) =>
        [.. (await ReadAsync((table, ct) => table.ListLinksAsync("s", pendingOnly, limit, ct))).Select(link => link.Topic)];

    private async Task<string[]> StreamsAsync(string after, int limit) =>
        [.. (await ReadAsync((table, ct) => table.ListStreamsAsync(Prefix, after, limit, ct))).Select(topic => topic.Value)];

    private async Task CreateAsync(TopicName topic) =>
        await Store.WriteAsync(
            async (unit, ct) => await unit.Streams.CreateAsync(topic, new StreamSettings { ContentType = "application/json" }, ct),
            Cancellation
        );

    private async Task DeleteAsync(TopicName topic) =>
        await Store.WriteAsync(async (unit, ct) => await unit.Streams.DeleteAsync(topic, ct), Cancellation);

    private async Task<long> PutAsync(TopicName topic) =>
        (
            await Store.WriteAsync(
                async (unit, ct) => await unit.Streams.AppendAsync(topic, new StreamAppend { Messages = ["1"u8.ToArray()] }, ct),
                Cancellation
            )
        )
            .Stream!
            .Tail;
}
