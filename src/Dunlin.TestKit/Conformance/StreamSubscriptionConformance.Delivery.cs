using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

public abstract partial class StreamSubscriptionConformance
{
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(13);
    private static readonly TimeSpan DisableAfter = TimeSpan.FromDays(3);

    /// <summary>Checks that an append wakes a subscription once, whichever node scans, and that data from before it wakes nobody.</summary>
    [Fact]
    public async Task An_append_wakes_its_subscription_once()
    {
        await CreateAsync(A);
        await PutAsync(A);
        await SubscribeAsync(Row("s"));
        await ScanAsync();
        Assert.Empty(await TakeAsync());
        await CreateAsync(B);
        var tail = await PutAsync(B);
        await AppendAsync("elsewhere");
        await ScanAsync();
        await ScanAsync(); // another node
        var delivery = Assert.Single(await TakeAsync());
        Assert.Equal([new StreamLink("s", B) { Kinds = StreamLinkKinds.Glob, Tail = tail }], delivery.Links);
        Assert.Empty(await TakeAsync());
        await CompleteAsync(delivery, StreamDeliveryOutcome.Done);
        Assert.Equal(tail, (await ReadAsync((table, ct) => table.FindLinkAsync("s", B, ct)))!.Acked);
        Assert.Empty(await TakeAsync());
    }

    /// <summary>Checks that a scan that was applied by another node changes nothing.</summary>
    [Fact]
    public async Task A_page_of_the_journal_is_applied_once()
    {
        await SubscribeAsync(Row("s"));
        var from = (await ReadAsync((table, ct) => table.FindScannedAsync(ct)))!.Value;
        await CreateAsync(A);
        var tail = await PutAsync(A);
        var changes = new Dictionary<TopicName, StreamChange> { [A] = new(0, tail) };
        Assert.True(await ApplyAsync(from, tail, changes));
        Assert.False(await ApplyAsync(from, tail, changes));
        Assert.Equal(tail, await ReadAsync((table, ct) => table.FindScannedAsync(ct)));
    }

    /// <summary>Checks that another node repeats a delivery whose node was killed, and that the result of the first one is void.</summary>
    [Fact]
    public async Task A_delivery_without_result_is_repeated_with_the_same_wake()
    {
        await SubscribeAsync(Row("s"));
        await CreateAsync(A);
        await PutAsync(A);
        await ScanAsync();
        var lost = Assert.Single(await TakeAsync());
        Time.Advance(AttemptTime - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await TakeAsync());
        Time.Advance(TimeSpan.FromMilliseconds(1));
        var again = Assert.Single(await TakeAsync());
        Assert.Equal((lost.Row.WakeId, lost.Row.Generation), (again.Row.WakeId, again.Row.Generation));
        Assert.Null(await CompleteAsync(lost, StreamDeliveryOutcome.Done));
        Assert.NotNull(await CompleteAsync(again, StreamDeliveryOutcome.Done));
    }

    /// <summary>Checks that one user cannot take all deliveries, and that workers are woken although none is free.</summary>
    [Fact]
    public async Task Deliveries_of_one_owner_are_limited()
    {
        await CreateAsync(Wake);
        foreach (var id in (string[])["a", "b", "c"])
            await SubscribeAsync(Row(id));
        await SubscribeAsync(Row("other") with { Owner = "other" });
        await SubscribeAsync(Row("pull") with { WebhookUrl = null, WakeTopic = Wake.Value });
        await CreateAsync(A);
        await PutAsync(A);
        await ScanAsync();
        var owners = (await TakeAsync(10, perOwner: 2, "owner")).Select(delivery => delivery.Row.Owner);
        Assert.Equal(["other", "owner"], owners.Order(StringComparer.Ordinal));
        Assert.Equal(1, (await ReadAsync((table, ct) => table.FindAsync("pull", ct)))!.Generation);
        Assert.Empty(await TakeAsync(0, perOwner: 2));
        Assert.Equal(2, (await TakeAsync(10, perOwner: 2)).Count);
    }

    /// <summary>Checks that the end of a stream removes the cursor of a pattern and keeps the one of a named stream.</summary>
    [Fact]
    public async Task A_deleted_stream_leaves_patterns_and_stays_in_names()
    {
        await CreateAsync(A);
        await SubscribeAsync(Row("glob"));
        await SubscribeAsync(Row("name") with { Pattern = null }, A);
        await PutAsync(A);
        await DeleteAsync(A);
        await ScanAsync();
        Assert.Equal(["name"], (await ReadAsync((table, ct) => table.ListLinksOfAsync(A, ct))).Select(link => link.SubscriptionId));
        Assert.Empty(await TakeAsync());
    }

    /// <summary>Checks that a wake of workers commits with its event, and that a claim fences the worker before it.</summary>
    [Fact]
    public async Task A_second_claim_fences_the_first_worker()
    {
        await CreateAsync(Wake);
        await SubscribeAsync(Row("p") with { WebhookUrl = null, WakeTopic = Wake.Value });
        await CreateAsync(A);
        var tail = await PutAsync(A);
        await ScanAsync();
        Assert.Empty(await TakeAsync());
        Assert.Single(await ReadAllAsync(0, Wake.Value), entry => entry.Type == StreamEvents.EventType);
        var first = await ClaimAsync("one");
        Assert.Equal(StreamClaimOutcome.AlreadyClaimed, (await ClaimAsync("two")).Outcome);
        Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(StreamClaimOutcome.Fenced, (await AckAsync(first, tail)).Outcome);
        var second = await ClaimAsync("two");
        Assert.Equal(StreamClaimOutcome.Fenced, (await AckAsync(first, tail)).Outcome);
        Assert.Equal(StreamClaimOutcome.InvalidOffset, (await AckAsync(second, tail + 1)).Outcome);
        Assert.Equal(StreamClaimOutcome.Ok, (await AckAsync(second, tail)).Outcome);
        Assert.Equal(StreamClaimOutcome.NoPendingWork, (await ClaimAsync("one")).Outcome);
    }

    /// <summary>Checks that appends of streams without a subscription cost no write, and that nodes that start do not read them all again.
    /// </summary>
    [Fact]
    public async Task Appends_of_other_streams_move_the_scan_rarely()
    {
        await SubscribeAsync(Row("s") with { Pattern = "streams/b" });
        var from = await ReadAsync((table, ct) => table.FindScannedAsync(ct));
        await CreateAsync(A);
        await PutAsync(A);
        await ScanAsync();
        Assert.Equal(from, await ReadAsync((table, ct) => table.FindScannedAsync(ct)));
        var messages = Enumerable.Repeat<ReadOnlyMemory<byte>>("1"u8.ToArray(), 5_000).ToList();
        await Store.WriteAsync(
            async (unit, ct) => await unit.Streams.AppendAsync(A, new StreamAppend { Messages = messages }, ct),
            Cancellation
        );
        await ScanAsync();
        Assert.InRange((await ReadAsync((table, ct) => table.FindScannedAsync(ct)))!.Value, from!.Value + 4_000, long.MaxValue);
        await CreateAsync(B);
        await PutAsync(B);
        await ScanAsync();
        Assert.Equal(B, Assert.Single(Assert.Single(await TakeAsync()).Links).Topic);
    }

    /// <summary>Checks which existing streams a pattern links. <c>**</c> also matches no segment.</summary>
    [Fact]
    public async Task A_pattern_links_existing_streams_below_its_literal_part()
    {
        foreach (var topic in (string[])["streams/a", "streams/a/x", "streams/a/x/y", "streams/b", "streams/ab"])
            await CreateAsync(TopicName.Parse(topic));
        await SubscribeAsync(Row("s") with { Pattern = "streams/a/**" });
        var linked = (await LinksAsync(pendingOnly: false, 10)).Select(topic => topic.Value);
        Assert.Equal(["streams/a", "streams/a/x", "streams/a/x/y"], linked);
    }

    /// <summary>Checks that the last deleted subscription ends the scan, so that appends cost nothing afterwards.</summary>
    [Fact]
    public async Task The_scan_ends_with_the_last_subscription()
    {
        await SubscribeAsync(Row("s"));
        Assert.True(await ScanAsync());
        await Store.WriteAsync((unit, ct) => new UnitStreamSubscriptions(unit).DeleteAsync("s", ct), Cancellation);
        Assert.False(await ScanAsync());
    }

    private async Task SubscribeAsync(StreamSubscription row, params TopicName[] topics) =>
        Assert.True(
            (
                await Store.WriteAsync(
                    (unit, ct) => new UnitStreamSubscriptions(unit).CreateAsync(row, topics, new StreamSubscriptionLimits(10, 10), ct),
                    Cancellation
                )
            )!
                .Value
                .IsNew
        );

    private async Task<bool> ScanAsync()
    {
        await Journal.ReadHeadAsync(Cancellation);
        return await new StreamSubscriptionScan(Store, Journal, Prefix).RunAsync(Cancellation);
    }

    private async Task<bool> ApplyAsync(long from, long through, Dictionary<TopicName, StreamChange> changes) =>
        await Store.WriteAsync((unit, ct) => new UnitStreamSubscriptions(unit).ApplyAsync(from, through, changes, ct), Cancellation);

    private async Task<IReadOnlyList<StreamDelivery>> TakeAsync(int free = 16, int perOwner = 16, params string[] running) =>
        await Store.WriteAsync(
            (unit, ct) =>
                new UnitStreamSubscriptions(unit).TakeDueAsync(
                    new StreamDeliverySlots(free, perOwner, running),
                    AttemptTime,
                    DisableAfter,
                    ct
                ),
            Cancellation
        );

    private async Task<StreamSubscription?> CompleteAsync(StreamDelivery delivery, StreamDeliveryOutcome outcome) =>
        await Store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).CompleteAsync(delivery.Row, outcome, DisableAfter, ct),
            Cancellation
        );

    private async Task<StreamClaimResult> ClaimAsync(string worker) =>
        await Store.WriteAsync((unit, ct) => new UnitStreamSubscriptions(unit).ClaimAsync("p", worker, ct), Cancellation);

    private async Task<StreamClaimResult> AckAsync(StreamClaimResult claim, long offset)
    {
        var wake = new StreamWakeKey(claim.Row!.Incarnation, claim.Row.WakeId!, claim.Row.Generation);
        return await Store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).AckAsync("p", wake, [new StreamAck(A, offset)], isDone: true, ct),
            Cancellation
        );
    }
}
