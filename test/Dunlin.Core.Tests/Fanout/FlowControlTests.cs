using System.Diagnostics.Metrics;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Fanout;

public sealed class FlowControlTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publishing_waits_while_a_shard_lags_and_then_proceeds()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(200));
        var admitted = await FillAsync(node);
        var waiting = AdmitAsync(node, "ann");
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, node.Fanout.Flow.Waiting);

        shard.Release();
        using var admission = await waiting.WaitAsync(Deadline, Cancellation);
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task Publishing_below_the_target_does_not_wait()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(99));
        var admitted = await FillAsync(node);
        using var admission = await AdmitAsync(node, "ann").WaitAsync(Deadline, Cancellation);
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task A_publisher_that_waited_too_long_is_refused_with_a_time()
    {
        using var node = new TestNode(o => (o.Shards, o.MaxPublishWait) = (1, TimeSpan.FromSeconds(2)));
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(200));
        var admitted = await FillAsync(node);
        var waiting = AdmitAsync(node, "ann");
        node.Time.Advance(TimeSpan.FromSeconds(2));
        var error = await Assert.ThrowsAsync<DunlinException>(() => waiting.WaitAsync(Deadline, Cancellation));
        Assert.Equal(ErrorCode.TooManyRequests, error.Code);
        Assert.Equal(TimeSpan.FromMilliseconds(2_200), error.RetryAfter);
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task A_refusal_names_at_most_ten_seconds()
    {
        using var node = new TestNode(o => (o.Shards, o.MaxPublishWait) = (1, TimeSpan.Zero));
        using var shard = await HoldAsync(node);
        var admitted = await FillAsync(node);
        node.Time.Advance(TimeSpan.FromSeconds(15));
        var error = await Assert.ThrowsAsync<DunlinException>(() => AdmitAsync(node, "ann").WaitAsync(Deadline, Cancellation));
        Assert.Equal(TimeSpan.FromSeconds(10), error.RetryAfter);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task Beyond_the_bound_of_waiting_requests_a_request_is_refused()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(200));
        var admitted = await FillAsync(node);
        using var cancel = new CancellationTokenSource();
        var waiting = Enumerable
            .Range(0, FlowControl.MaxWaiting)
            .Select(_ => node.Fanout.Flow.AdmitAsync("ann", 1, cancel.Token).AsTask())
            .ToList();
        var error = await Assert.ThrowsAsync<DunlinException>(() => node.Fanout.Flow.AdmitAsync("bob", 1, Cancellation).AsTask());
        Assert.Equal(ErrorCode.TooManyRequests, error.Code);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task Without_a_target_nothing_waits()
    {
        using var node = new TestNode(o => (o.Shards, o.LagTarget) = (1, TimeSpan.Zero));
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 100; i++)
            Assert.True(node.Fanout.Flow.AdmitAsync("ann", 1, Cancellation).IsCompletedSuccessfully);
        Assert.True(node.Fanout.Flow.PaceAsync(Cancellation).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task G5_A_slow_reader_delays_no_publisher()
    {
        using var node = new TestNode(o => o.Shards = 1);
        TestSink slow = new(),
            fast = new();
        await node.ConnectAsync(slow, "t");
        await node.ConnectAsync(fast, "t");
        await node.StallAsync(slow, "t", 0);
        for (var i = 0; i < 200; i++)
        {
            node.Time.Advance(TimeSpan.FromMilliseconds(200));
            using (await node.Fanout.Flow.AdmitAsync("ann", 1, Cancellation))
                await node.PublishAsync("t", i);
            await node.Fanout.Flow.PaceAsync(Cancellation);
            await node.Fanout.SettledAsync();
        }
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        await fast.WhenCountAsync(201);
        slow.LetGo();
        await slow.WhenCountAsync(201);
    }

    [Fact]
    public async Task A_lagging_node_delays_publishers_of_no_other_node()
    {
        var backplane = new InProcessBackplane();
        using var here = new TestNode(o => o.Shards = 1, backplane: backplane);
        using var there = new TestNode(o => o.Shards = 1, _ => here.Store, backplane);
        using var shard = await HoldAsync(there, publisher: here);
        // Ten times the target, and less than the time after which a reader that takes nothing is closed.
        there.Time.Advance(TimeSpan.FromSeconds(1));
        here.Time.Advance(TimeSpan.FromSeconds(1));
        await here.Fanout.SettledAsync();
        for (var i = 0; i < 100; i++)
            Assert.True(here.Fanout.Flow.AdmitAsync("ann", 1, Cancellation).IsCompletedSuccessfully);
        Assert.True(here.Fanout.Flow.PaceAsync(Cancellation).IsCompletedSuccessfully);
        // The lagging node itself is the one that waits.
        await FillAsync(there);
        Assert.False(AdmitAsync(there, "ann").IsCompleted);
    }

    [Fact]
    public async Task A_cancelled_wait_leaves_nothing()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(200));
        var admitted = await FillAsync(node);
        var timers = node.Time.ActiveTimers;
        using var cancel = new CancellationTokenSource();
        var waiting = node.Fanout.Flow.AdmitAsync("ann", 1, cancel.Token).AsTask();
        Assert.Equal(1, node.Fanout.Flow.Waiting);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline, Cancellation));
        Assert.Equal(0, node.Fanout.Flow.Waiting);
        Assert.Equal(timers, node.Time.ActiveTimers);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task Waiting_publishers_take_turns()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(200));
        var admitted = await FillAsync(node);
        var many = Enumerable.Range(0, 50).Select(_ => AdmitAsync(node, "many")).ToList();
        var one = AdmitAsync(node, "one");
        // The first end frees one place, for the publisher whose turn it is; the second one serves the other publisher.
        admitted[0].Dispose();
        admitted[1].Dispose();
        await many[0].WaitAsync(Deadline, Cancellation);
        await one.WaitAsync(Deadline, Cancellation);
        Assert.Equal(49, node.Fanout.Flow.Waiting);
    }

    [Fact]
    public async Task A_wall_clock_step_causes_no_wait()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldAsync(node);
        node.Time.StepWallClock(TimeSpan.FromHours(1));
        var admitted = await FillAsync(node);
        Assert.True(node.Fanout.Flow.AdmitAsync("ann", 1, Cancellation).IsCompletedSuccessfully);
        admitted.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task An_answer_waits_for_a_long_round_until_most_readers_have_it()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldInLongRoundAsync(node);
        var answer = node.Fanout.Flow.PaceAsync(Cancellation).AsTask();
        Assert.False(answer.IsCompleted);
        shard.Release();
        await answer.WaitAsync(Deadline, Cancellation);
    }

    [Fact]
    public async Task An_answer_waits_no_longer_than_the_target()
    {
        using var node = new TestNode(o => o.Shards = 1);
        using var shard = await HoldInLongRoundAsync(node);
        var answer = node.Fanout.Flow.PaceAsync(Cancellation).AsTask();
        Assert.False(answer.IsCompleted);
        node.Time.Advance(TimeSpan.FromMilliseconds(100));
        await answer.WaitAsync(Deadline, Cancellation);
    }

    [Fact]
    public async Task The_lag_of_a_round_is_measured()
    {
        using var node = new TestNode(o => o.Shards = 1);
        var lags = new List<double>();
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<double>((_, lag, _, _) => lags.Add(lag));
        listener.EnableMeasurementEvents(node.Fanout.Instruments.Lag);
        using (var shard = await HoldAsync(node))
        {
            node.Time.Advance(TimeSpan.FromMilliseconds(250));
            shard.Release();
            await node.Fanout.SettledAsync();
        }
        Assert.Equal(0.25, Assert.Single(lags), 3);
    }

    private static Task<FlowControl.Admission> AdmitAsync(TestNode node, string publisher) =>
        node.Fanout.Flow.AdmitAsync(publisher, 1, Cancellation).AsTask();

    /// <summary>Admits the events that are admitted at any lag, beside the one that the shard delivers.</summary>
    private static async Task<List<FlowControl.Admission>> FillAsync(TestNode node)
    {
        var admitted = new List<FlowControl.Admission>();
        for (var i = 1; i < FlowControl.AlwaysAdmitted; i++)
            admitted.Add(await AdmitAsync(node, "other").WaitAsync(Deadline, Cancellation));
        return admitted;
    }

    private static async Task<HeldShard> HoldInLongRoundAsync(TestNode node)
    {
        var shard = await HoldAsync(node);
        node.Time.Advance(TimeSpan.FromMilliseconds(50));
        shard.Release();
        await node.Fanout.SettledAsync();
        await shard.HoldAsync(node.Journal);
        return shard;
    }

    private static Task<HeldShard> HoldAsync(TestNode node, TestNode? publisher = null) =>
        HeldShard.BeginAsync(node.Fanout, (publisher ?? node).Journal);
}
