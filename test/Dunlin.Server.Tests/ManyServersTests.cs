using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>Two servers on one PostgreSQL: changes at one apply at the other.</summary>
[Trait("Store", "own")]
public sealed class ManyServersTests : IAsyncLifetime
{
    private static readonly (string Right, string Pattern)[] Grants = [("subscribe", "a/*"), ("publish", "a/*")];

    private PostgresServer _postgres = null!;
    private TestServer _here = null!;
    private TestServer _there = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        _here = await TestServer.StartAsync(("Store", _postgres.ConnectionString));
        _there = await TestServer.StartAsync(("Store", _postgres.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _here.DisposeAsync();
        await _there.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task G4_Revocation_at_one_server_ends_streams_and_access_at_the_other()
    {
        var token = Mint.Token("ann", Grants);
        await using var reader = await Calls.OpenAsync(_there.Address, token, "topic=a/1");
        await reader.UntilAsync("dunlin.hello");
        Assert.Equal(
            200,
            (await Calls.SendAsync(_here.Address, Mint.Backend(), HttpMethod.Post, "/dunlin/v1/revocations", new { userId = "ann" })).Status
        );
        await reader.UntilAsync("dunlin.goodbye");
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        foreach (var server in new[] { _here, _there })
            Assert.Equal(401, (await Calls.TryOpenAsync(server.Address, token, "topic=a/1")).Status);
    }

    [Fact]
    public async Task A_ticket_of_one_server_opens_a_stream_of_the_other_with_its_grants()
    {
        var (_, answer) = await Calls.SendAsync(_here.Address, Mint.Token("ann", Grants), HttpMethod.Post, "/api/v1/auth/ticket");
        await using var reader = await Calls.OpenAsync(
            _there.Address,
            null,
            "topic=a/1&ticket=" + answer.GetProperty("ticket").GetString()
        );
        await Calls.PublishAsync(_here.Address, Mint.Token("bob", Grants), "a/1", 7);
        Assert.Equal("7", (await reader.UntilAsync("e")).Data);
        await WhenSeenFromAsync(_here, "a/1");
    }

    // Two new servers know each other after their next greetings. Queries about streams are best effort: an answer may arrive too late.
    private static Task WhenSeenFromAsync(TestServer server, string topic) =>
        Eventually.TrueAsync(async () =>
        {
            var (_, answer) = await Calls.SendAsync(server.Address, Mint.Backend(), HttpMethod.Get, "/dunlin/v1/connections?user=ann");
            var topics = answer.GetProperty("connections").EnumerateArray().Select(static one => one.GetProperty("topics")[0].GetString());
            return topics.Contains(topic);
        });

    [Fact]
    public async Task Redis_carries_events_and_queries_between_two_servers()
    {
        await using var redis = await RedisServer.StartNewAsync();
        (string Name, string Value)[] settings = [("Store", _postgres.ConnectionString), ("Redis", redis.Endpoint)];
        await using var first = await TestServer.StartAsync(settings);
        await using var second = await TestServer.StartAsync(settings);
        var token = Mint.Token("ann", Grants);
        await using var reader = await Calls.OpenAsync(first.Address, token, "topic=a/1&presence=true");
        await reader.UntilAsync("dunlin.hello");
        await Calls.PublishAsync(second.Address, token, "a/1", 1);
        Assert.Equal("1", (await reader.UntilAsync("e")).Data);
        // Transient events have no other way to the other server than the backplane.
        await Calls.SendAsync(
            second.Address,
            token,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic = "a/1",
                type = "typing",
                data = 2,
                transient = true,
            }
        );
        Assert.Equal("2", (await reader.UntilAsync("typing")).Data);
        await WhenSeenFromAsync(second, "a/1");
        var (_, presence) = await Calls.SendAsync(second.Address, token, HttpMethod.Get, "/dunlin/v1/presence?topic=a/1");
        Assert.Equal("ann", presence.GetProperty("present")[0].GetProperty("userId").GetString());
    }

    [Fact]
    public async Task Reader_resumes_at_the_other_server_without_gap_or_duplicate()
    {
        var token = Mint.Token("ann", Grants);
        string? position;
        await using (var reader = await Calls.OpenAsync(_here.Address, token, "topic=a/1"))
        {
            await Calls.PublishAsync(_there.Address, token, "a/1", 1);
            await reader.UntilAsync("e");
            position = reader.LastId;
        }
        await Calls.PublishAsync(_here.Address, token, "a/1", 2);
        await Calls.PublishAsync(_there.Address, token, "a/1", 3);
        await using var again = await Calls.OpenAsync(_there.Address, token, "topic=a/1", position);
        Assert.Equal("2", (await again.UntilAsync("e")).Data);
        Assert.Equal("3", (await again.UntilAsync("e")).Data);
    }
}
