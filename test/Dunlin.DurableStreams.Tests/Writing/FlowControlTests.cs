using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Fanout;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.DurableStreams.Tests.Writing;

/// <summary>Appends wait for the delivery of the node, as other publishers do.</summary>
public sealed class FlowControlTests
{
    private const string Stream = "/streams/alice/notes";

    [Theory]
    [InlineData("POST", Stream)]
    [InlineData("PUT", "/streams/alice/other")]
    public async Task A_lagging_node_refuses_a_write_and_stores_it_once_later(string method, string path)
    {
        await using var host = await StreamHost.StartAsync(services: static services =>
            services.Configure<FanoutOptions>(static o => (o.Shards, o.MaxPublishWait) = (1, TimeSpan.Zero))
        );
        (await host.SendAsync("PUT", Stream, type: "text/plain")).Is(201);
        var fanout = host.Host.Get<EventFanout>();
        using (await HeldShard.BeginAsync(fanout, host.Host.Journal))
        {
            for (var i = 1; i < FlowControl.AlwaysAdmitted; i++)
                (await host.SendAsync("POST", Stream, "a")).Is(204);
            host.Time.Advance(TimeSpan.FromMilliseconds(200));
            Assert.Equal("1", (await host.SendAsync(method, path, "b")).Is(429)["Retry-After"]);
        }
        await fanout.SettledAsync();
        Assert.True((await host.SendAsync(method, path, "b")).Status < 300);
        Assert.Single((await host.SendAsync("GET", path)).Text, 'b');
    }
}
