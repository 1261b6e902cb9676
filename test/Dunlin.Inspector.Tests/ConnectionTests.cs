using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Inspector.Tests;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Open_streams_are_listed_with_state_user_and_topics()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var bob = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders&topic=teams/7/**", "bob:s1", device: "phone");
        await bob.NextAsync();
        await using var eve = await host.Host.OpenAsync("/dunlin/v1/events?topic=other", "eve");
        await eve.NextAsync();
        await InspectedHost.UntilAsync(async () => (await host.GetAsync("connections?state=live")).GetProperty("matching").GetInt32() == 2);
        var list = await host.GetAsync("connections?q=BOB");
        Assert.Equal(2, list.GetProperty("total").GetInt32());
        var row = list.GetProperty("connections").EnumerateArray().Single();
        Assert.Equal(bob.ConnectionId, row.GetProperty("id").GetString());
        Assert.Equal("s1", row.GetProperty("sessionId").GetString());
        Assert.Equal("phone", row.GetProperty("device").GetString());
        Assert.Equal("live", row.GetProperty("state").GetString());
        Assert.Equal(["orders", "teams/7/**"], row.GetProperty("topics").EnumerateArray().Select(topic => topic.GetString()));
        Assert.Single((await host.GetAsync("connections?q=teams")).GetProperty("connections").EnumerateArray());
        Assert.Empty((await host.GetAsync("connections?state=lagging")).GetProperty("connections").EnumerateArray());
        Assert.Single((await host.GetAsync("connections?limit=1")).GetProperty("connections").EnumerateArray());
    }

    [Fact]
    public async Task The_life_of_a_stream_names_earlier_ends_refusals_and_leases()
    {
        await using var host = await InspectedHost.StartAsync();
        string earlier;
        await using (var first = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders", "bob", device: "phone"))
        {
            await first.NextAsync();
            earlier = first.ConnectionId;
        }
        await InspectedHost.UntilAsync(async () =>
            (await host.GetAsync("connections?state=closed")).GetProperty("matching").GetInt32() == 1
        );
        await using var stream = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders", "bob", device: "phone");
        await stream.NextAsync();
        using var client = host.Host.Client("bob");
        (await client.SendJsonAsync("GET", "/dunlin/v1/events?topic=secret/1")).Is(403, "forbidden");
        var header = ("Dunlin-Connection", stream.ConnectionId);
        Assert.Equal(201, (await client.SendJsonAsync("PUT", "/dunlin/v1/leases/doc", new { leaseId = "lease-of-bob-1" }, header)).Status);
        var detail = await host.GetAsync("connections/" + stream.ConnectionId);
        var life = detail.GetProperty("life").EnumerateArray().ToLookup(entry => entry.GetProperty("kind").GetString());
        Assert.Equal(stream.ConnectionId, life["opened"].Single().GetProperty("id").GetString());
        Assert.Equal(earlier, life["before"].Single().GetProperty("id").GetString());
        Assert.Contains("secret/1", life["refused"].Single().GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("granted", life["lease"].Single().GetProperty("text").GetString(), StringComparison.Ordinal);
        var closed = await host.GetAsync("connections/" + earlier);
        Assert.Equal("gone", closed.GetProperty("connection").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Closed_streams_beyond_the_limit_are_forgotten()
    {
        await using var host = await InspectedHost.StartAsync(options: options => options.MaxEntries = 10);
        for (var i = 0; i < 12; i++)
        {
            await using var stream = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders", "user" + i);
            await stream.NextAsync();
        }
        await InspectedHost.UntilAsync(async () =>
            (await host.GetAsync("connections?state=closed&q=user11")).GetProperty("matching").GetInt32() == 1
        );
        Assert.Equal(10, (await host.GetAsync("connections?state=closed")).GetProperty("matching").GetInt32());
    }

    [Theory]
    [InlineData("connections?state=open", "state")]
    [InlineData("connections?sort=name", "sort")]
    [InlineData("connections?limit=0", "limit")]
    [InlineData("connections?limit=many", "limit")]
    public async Task An_invalid_parameter_is_named(string path, string field)
    {
        await using var host = await InspectedHost.StartAsync();
        var answer = (await host.SendAsync("GET", path)).Is(400, "invalid_field");
        Assert.Equal(field, answer.Member("field"));
    }

    [Fact]
    public async Task An_unknown_stream_is_not_found()
    {
        await using var host = await InspectedHost.StartAsync();
        (await host.SendAsync("GET", "connections/abc")).Is(404, "not_found");
    }

    [Fact]
    public async Task Topics_are_listed_with_readers_and_rates()
    {
        await using var host = await InspectedHost.StartAsync();
        await using var bob = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders&topic=teams/**", "bob");
        await using var eve = await host.Host.OpenAsync("/dunlin/v1/events?topic=orders", "eve");
        await using var viewer = await host.WatchAsync();
        await viewer.NextAsync();
        await host.PublishAsync("news", "made");
        await host.SampleAsync(viewer, sample => sample.GetProperty("nodes")[0].GetProperty("events").GetDouble() > 0);
        var rows = (await host.GetAsync("topics"))
            .GetProperty("topics")
            .EnumerateArray()
            .ToDictionary(row => row.GetProperty("topic").GetString()!);
        Assert.Equal(2, rows["orders"].GetProperty("readers").GetInt32());
        Assert.True(rows["teams/**"].GetProperty("isPattern").GetBoolean());
        Assert.True(rows["news"].GetProperty("rate").GetDouble() > 0);
        Assert.Equal("made", rows["news"].GetProperty("lastType").GetString());
        var found = (await host.GetAsync("topics?q=NEW&limit=1")).GetProperty("topics").EnumerateArray();
        Assert.Equal("news", found.Single().GetProperty("topic").GetString());
    }
}
