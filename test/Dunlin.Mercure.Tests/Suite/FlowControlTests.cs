using System.Net;
using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Updates wait for the delivery of the node, as other publishers do.</summary>
public sealed class FlowControlTests
{
    [Fact]
    public async Task A_lagging_node_refuses_an_update_and_stores_it_once_later()
    {
        await using var hub = await HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            services: static services => services.Configure<FanoutOptions>(static o => (o.Shards, o.MaxPublishWait) = (1, TimeSpan.Zero))
        );
        var fanout = hub.First.Get<EventFanout>();
        var journal = hub.First.Get<IJournal>();
        using (await HeldShard.BeginAsync(fanout, journal))
        {
            for (var i = 1; i < FlowControl.AlwaysAdmitted; i++)
                await hub.PublishAsync(("topic", "https://example.com/1"), ("data", "a"));
            hub.Time.Advance(TimeSpan.FromMilliseconds(200));
            var before = journal.Head;
            using var refused = await hub.PublishAsync(Tokens.Publisher(hub.Time), ("topic", "https://example.com/1"), ("data", "b"));
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
            Assert.Equal(before, journal.Head);
        }
        await fanout.SettledAsync();
        await hub.PublishAsync(("topic", "https://example.com/1"), ("data", "b"));
    }
}
