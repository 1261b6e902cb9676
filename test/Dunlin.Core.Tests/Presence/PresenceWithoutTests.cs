using Dunlin.Core.Tests.Fanout;
using Dunlin.Presence;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Presence;

public sealed class PresenceWithoutTests
{
    [Fact]
    public async Task Topics_without_presence_list_nobody_and_announce_nobody()
    {
        using var node = new TestNode();
        var options = new PresenceOptions();
        options.Without.Add("notices");
        var presence = new PresenceRegistry(node.Fanout, node.Wheel, node.Time, Options.Create(options));
        TestSink first = new(), second = new();
        await node.ConnectAsync(first, "notices notices2", with: r => r with { Caller = TestNode.User("ann") });
        await node.ConnectAsync(second, "notices", with: r => r with { Caller = TestNode.User("bob") });
        await node.PublishAsync("notices", 1);
        await second.WhenCountAsync(1);
        await first.WhenAsync(frames => frames.Any(f => f.Data == "1"));

        Assert.DoesNotContain(first.Frames, f => f.Data.Contains("bob", StringComparison.Ordinal));
        Assert.DoesNotContain(second.Frames, f => f.Name?.StartsWith("presence", StringComparison.Ordinal) == true);
        Assert.Empty(presence.List(TopicName.Parse("notices")));
        Assert.Equal("ann", Assert.Single(presence.List(TopicName.Parse("notices2"))).UserId);
    }
}
