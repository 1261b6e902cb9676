using System.Collections.Concurrent;
using Dunlin.Consumers;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of event consumers on each back end, with one node and with several.</summary>
public abstract partial class EventConsumerConformance : EventConsumerSuite
{
    /// <summary>Checks the rows of groups, and that a read scope cannot change them.</summary>
    [Fact]
    public async Task A_group_is_read_as_it_was_saved()
    {
        var row = new ConsumerRow("b/1")
        {
            Through = long.MaxValue,
            Holder = "node",
            Token = 7,
            Until = Time.GetUtcNow() + TimeSpan.FromTicks(1),
            Failures = 3,
            RetryAt = Time.GetUtcNow() + TimeSpan.FromTicks(2),
            Fault = "\u00e9 \ud83d\ude00",
        };
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                var table = ConsumerClaim.TableOf(unit);
                await table.SaveAsync(row with { Token = 1 }, ct);
                await table.SaveAsync(row, ct);
                await table.SaveAsync(new ConsumerRow("a") { Through = ConsumerRow.NotStarted }, ct);
            },
            Cancellation
        );
        Assert.Equal([new ConsumerRow("a") { Through = ConsumerRow.NotStarted }, row], await RowsAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await Store.ReadAsync(
                async (scope, ct) =>
                {
                    await ConsumerClaim.TableOf(scope).RemoveAsync("a", ct);
                    return true;
                },
                Cancellation
            )
        );
        Assert.True(await Groups.RemoveAsync("a", Cancellation));
        Assert.False(await Groups.RemoveAsync("a", Cancellation));
        Assert.Equal([row], await RowsAsync());
    }

    /// <summary>Checks the start at the head, the order, the patterns, and that a restart continues at the cursor.</summary>
    [Fact]
    public async Task Events_after_the_head_are_delivered_in_order_across_a_restart()
    {
        await AppendAsync("orders/1", 1);
        var consumer = new Recorder();
        await using (await StartAsync(consumer))
        {
            await UntilHeldAsync();
            await AppendAsync("orders/1", 2);
            await AppendAsync("other/1", 3);
            await AppendAsync("orders/2", 4);
            await UntilAsync(() => consumer.Numbers.Count == 2);
        }
        await AppendAsync("orders/1", 5);
        await using (await StartAsync(consumer))
            await UntilThroughAsync(5);
        Assert.Equal([2, 4, 5], consumer.Numbers);
        Assert.Empty(consumer.Gaps);
        Assert.Equal(0, (await Groups.FindAsync("test", Cancellation))!.Lag);
    }

    /// <summary>Checks that events removed before a group was created are no gap.</summary>
    [Fact]
    public async Task A_start_at_the_oldest_event_reads_what_is_left_without_a_gap()
    {
        Retention.Default.MaxCount = 2;
        for (var i = 1; i <= 5; i++)
            await AppendAsync("orders/1", i);
        await Journal.TrimAsync(Cancellation);
        Options.Start = ConsumerStart.Oldest;
        var consumer = new Recorder();
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(5);
        Assert.Equal([4, 5], consumer.Numbers);
        Assert.Empty(consumer.Gaps);
    }

    /// <summary>Checks that a gap is reported until the report succeeds, and before later events.</summary>
    [Fact]
    public async Task A_gap_is_reported_before_the_events_after_it()
    {
        await AppendAsync("orders/1", 1);
        Options.Start = ConsumerStart.Oldest;
        await using (await StartAsync(new Recorder()))
            await UntilThroughAsync(1);
        for (var i = 2; i <= 5; i++)
            await AppendAsync("orders/1", i);
        Retention.Default.MaxCount = 1;
        await Journal.TrimAsync(Cancellation);
        var reports = 0;
        Recorder? consumer = null;
        var numbersAtReport = -1;
        consumer = new Recorder
        {
            OnGap = _ =>
            {
                numbersAtReport = consumer!.Numbers.Count;
                return ++reports == 1 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
            },
        };
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(5);
        var head = Journal.Head;
        Assert.Equal([5], consumer.Numbers);
        Assert.Equal(0, numbersAtReport);
        Assert.Equal(Enumerable.Repeat(new EventGap("test", head with { Offset = 1 }, head with { Offset = 5 }), 2), consumer.Gaps);
    }

    /// <summary>Checks that a gap without later events is reported too.</summary>
    [Fact]
    public async Task A_gap_without_later_events_is_reported()
    {
        Options.Start = ConsumerStart.Oldest;
        await AppendAsync("orders/1", 1);
        await using (await StartAsync(new Recorder()))
            await UntilThroughAsync(1);
        await AppendAsync("orders/1", 2);
        Retention.Default.MaxCount = 0;
        await Journal.TrimAsync(Cancellation);
        var consumer = new Recorder();
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(2);
        Assert.Single(consumer.Gaps);
        Assert.Empty(consumer.Numbers);
    }

    /// <summary>Checks the attempts of a batch that fails, and what is stored about its failures.</summary>
    [Fact]
    public async Task A_failed_batch_is_delivered_again_until_it_succeeds()
    {
        Options.Start = ConsumerStart.Oldest;
        Options.FirstDelay = TimeSpan.FromSeconds(10);
        await AppendAsync("orders/1", 1);
        var consumer = new Recorder(
            (batch, _) => batch.Failures < 2 ? throw new InvalidOperationException($"failure {batch.Failures}") : Task.CompletedTask
        );
        await using var node = await StartAsync(consumer);
        await UntilAsync(async () => await Groups.FindAsync("test", Cancellation) is { Failures: 1 });
        var failed = (await Groups.FindAsync("test", Cancellation))!;
        Assert.Equal((0, "failure 0"), (failed.Position.Offset, failed.Fault));
        Assert.NotNull(failed.RetryAt);
        await UntilThroughAsync(1);
        Assert.Equal([1], consumer.Numbers);
        Assert.Equal([0, 1, 2], consumer.Failures);
        var done = (await Groups.FindAsync("test", Cancellation))!;
        Assert.Equal((0, null, null), (done.Failures, done.RetryAt, done.Fault));
    }

    /// <summary>Checks that a checkpoint within a batch is kept when the rest of the batch fails.</summary>
    [Fact]
    public async Task A_checkpoint_within_a_batch_survives_the_failure_of_the_rest()
    {
        Options.Start = ConsumerStart.Oldest;
        for (var i = 1; i <= 3; i++)
            await AppendAsync("orders/1", i);
        var batches = new ConcurrentQueue<int>();
        var consumer = new Recorder(
            async (batch, ct) =>
            {
                batches.Enqueue(batch.Events.Count);
                if (batch.Events.Count < 3)
                    return;
                await batch.CheckpointAsync(batch.Events[1].Position, ct);
                throw new InvalidOperationException("the rest fails");
            }
        );
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(3);
        Assert.Equal([3, 1], batches);
        Assert.Equal([3], consumer.Numbers);
    }

    /// <summary>Checks that a checkpoint in a unit of work rolls back with it, and that positions outside of the batch are
    /// refused.</summary>
    [Fact]
    public async Task A_checkpoint_rolls_back_with_its_unit_of_work()
    {
        Options.Start = ConsumerStart.Oldest;
        await AppendAsync("orders/1", 1);
        var outside = new List<Exception?>();
        var consumer = new Recorder(
            async (batch, ct) =>
            {
                if (batch.Failures == 0)
                {
                    foreach (
                        var through in new[] { batch.Through with { Offset = 2 }, batch.Through with { Epoch = batch.Through.Epoch + 1 } }
                    )
                        outside.Add(await Record.ExceptionAsync(async () => await batch.CheckpointAsync(through, ct)));
                }
                await Store.WriteAsync(
                    async (unit, token) =>
                    {
                        await unit.AppendAsync(EventDraft.Of(Effects, "effect", 1), token);
                        await batch.CheckpointAsync(unit, batch.Through, token);
                        if (batch.Failures == 0)
                            throw new InvalidOperationException("rolled back");
                    },
                    ct
                );
            }
        );
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(1);
        Assert.Equal([0, 1], consumer.Failures.Take(2));
        Assert.Single(await ReadAllAsync(0, Effects.Value));
        Assert.All(outside, error => Assert.IsType<ArgumentOutOfRangeException>(error));
    }

    /// <summary>Checks that the cursor passes events of other topics, so that a later start does not read them again.</summary>
    [Fact]
    public async Task The_cursor_moves_over_many_events_of_other_topics()
    {
        await using var node = await StartAsync(new Recorder());
        await UntilHeldAsync();
        for (var i = 0; i < 5; i++)
            await Journal.AppendAsync([.. Enumerable.Range(0, 1_000).Select(n => Draft("other", n))], null, Cancellation);
        await UntilThroughAsync(4_096);
        Assert.True((await Groups.FindAsync("test", Cancellation))!.Lag < 1_000);
    }

    /// <summary>Checks that a changed cursor stops the holder and applies to the next delivery, and that wrong positions are
    /// refused.</summary>
    [Fact]
    public async Task A_moved_cursor_is_where_the_next_delivery_begins()
    {
        Options.Start = ConsumerStart.Oldest;
        for (var i = 1; i <= 3; i++)
            await AppendAsync("orders/1", i);
        var consumer = new Recorder();
        await using var node = await StartAsync(consumer);
        await UntilThroughAsync(3);
        var head = Journal.Head;
        Assert.False(await Groups.SeekAsync("unknown", head, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Groups.SeekAsync("test", head with { Offset = 4 }, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Groups.SeekAsync("test", head with { Epoch = head.Epoch + 1 }, Cancellation)
        );
        Assert.True(await Groups.SeekAsync("test", head with { Offset = 1 }, Cancellation));
        await UntilAsync(() => consumer.Numbers.Count == 5);
        Assert.Equal([1, 2, 3, 2, 3], consumer.Numbers);
    }

    private ValueTask<IReadOnlyList<ConsumerRow>> RowsAsync() =>
        Store.ReadAsync((scope, ct) => ConsumerClaim.TableOf(scope).ListAsync(ct), Cancellation);
}
