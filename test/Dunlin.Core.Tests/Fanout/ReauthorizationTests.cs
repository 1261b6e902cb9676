using Dunlin.Fanout;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>A right that cannot be read counts as ended. Found by <c>test/Dunlin.Simulation</c>.</summary>
public sealed class ReauthorizationTests
{
    [Fact]
    public async Task A_failing_policy_closes_its_streams_and_checks_the_others()
    {
        using var node = new TestNode();
        var (broken, narrowed) = (new TestSink(), new TestSink());
        var first = await node.ConnectAsync(broken, "secret open");
        var second = await node.ConnectAsync(narrowed, "other open");
        await Assert.ThrowsAsync<TimeoutException>(() =>
            node.Fanout.ReauthorizeAsync(
                "ann",
                static (_, topic) =>
                    topic.Value == "secret" ? throw new TimeoutException("The rights cannot be read.") : new(topic.Value == "open")
            )
        );
        Assert.Equal(ConnectionEnd.TokenExpired, await first.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        await node.PublishAsync("secret", 1);
        await node.PublishAsync("other", 2);
        await node.PublishAsync("open", 3);
        await node.Fanout.SettledAsync();
        Assert.Equal(["dunlin.goodbye"], broken.Frames.Select(static frame => frame.Name));
        Assert.Equal([0, 3], narrowed.Frames.Select(static frame => frame.Offset));
        Assert.False(second.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_slow_check_returns_no_topic_that_a_later_one_removed()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "a b c");
        var (slow, isSlow) = HoldCheckOf(node, "b", lost: "c");
        await isSlow.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await node.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value == "b"));
        slow.SetResult(true);
        await sink.WhenAsync(static frames => frames.Count(static frame => frame.Name == "dunlin.revoked") == 2);
        await node.PublishAsync("a", 1);
        await node.PublishAsync("c", 2);
        await node.PublishAsync("b", 3);
        await node.Fanout.SettledAsync();
        Assert.Equal(3, sink.Frames[^1].Offset);
        Assert.DoesNotContain(sink.Frames, static frame => frame.Offset is 1 or 2);
        Assert.Equal(["b"], connection.Topics.Select(static topic => topic.Value));
    }

    [Fact]
    public async Task Two_checks_that_together_remove_everything_close()
    {
        using var node = new TestNode();
        var connection = await node.ConnectAsync(new TestSink(), "a b c");
        var (slow, isSlow) = HoldCheckOf(node, "b", lost: "a");
        await isSlow.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await node.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value == "a"));
        slow.SetResult(true);
        Assert.Equal(ConnectionEnd.Revoked, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Two_removals_that_wait_for_the_shard_close_an_empty_stream()
    {
        using var node = new TestNode(static options => options.Shards = 1);
        var connection = await node.ConnectAsync(new TestSink(), "a b");
        using var shard = await HeldShard.BeginAsync(node.Fanout, node.Journal);
        await node.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value == "a"));
        await node.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value == "b"));
        Assert.False(connection.Completion.IsCompleted);
        shard.Release();
        Assert.Equal(ConnectionEnd.Revoked, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private static (TaskCompletionSource<bool> Slow, TaskCompletionSource IsSlow) HoldCheckOf(TestNode node, string held, string lost)
    {
        var (slow, isSlow) = (new TaskCompletionSource<bool>(), new TaskCompletionSource());
        _ = node.Fanout.ReauthorizeAsync(
            "ann",
            async (_, topic) =>
            {
                if (topic.Value != held)
                    return topic.Value != lost;
                isSlow.SetResult();
                return await slow.Task;
            }
        );
        return (slow, isSlow);
    }
}
