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
}
