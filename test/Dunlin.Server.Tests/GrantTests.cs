using System.Net;
using Dunlin.Server.Tests.Support;

namespace Dunlin.Server.Tests;

/// <summary>A token gives access to the names that its patterns match, and to no similar names.</summary>
public sealed class GrantTests(OneServer one) : IClassFixture<OneServer>
{
    private readonly TestServer _server = one.Server;

    [Fact]
    public async Task Granted_topics_can_be_published_and_read_and_others_are_refused()
    {
        var backend = Mint.User("backend", ("publish", "teams/*/chat"));
        await using var reader = await Calls.OpenAsync(
            _server.Address,
            Mint.User("ann", ("subscribe", "teams/7/**")),
            "topic=teams/7/chat"
        );
        await Calls.PublishAsync(_server.Address, backend, "teams/7/chat", new { text = "hello" });
        Assert.Equal("""{"text":"hello"}""", (await reader.UntilAsync("e")).Data);

        Assert.Equal("forbidden", await Calls.TryPublishAsync(_server.Address, backend, "teams/7/other"));
        Assert.Equal("forbidden", await Calls.TryPublishAsync(_server.Address, Mint.User("ann", ("subscribe", "**")), "teams/7/chat"));
        Assert.Equal("not_signed_in", await Calls.TryPublishAsync(_server.Address, null, "teams/7/chat"));
        Assert.Equal(
            (403, "forbidden"),
            await Calls.TryOpenAsync(_server.Address, Mint.User("bob", ("publish", "**")), "topic=teams/7/chat")
        );
        Assert.Equal((401, "not_signed_in"), await Calls.TryOpenAsync(_server.Address, null, "topic=teams/7/chat"));
    }

    [Theory]
    [InlineData("rooms/1", "rooms/1", 200)]
    [InlineData("rooms/1", "rooms%2F1", 200)] // the same name in another encoding
    [InlineData("rooms/1", "rooms/10", 403)]
    [InlineData("rooms/1", "rooms/1/x", 403)]
    [InlineData("rooms/1", "rooms", 403)]
    [InlineData("rooms/1", "Rooms/1", 403)]
    [InlineData("rooms/1", "ROOMS/1", 403)]
    [InlineData("rooms/1", "rooms%252F1", 403)] // a segment that contains "%2F"
    [InlineData("rooms/1", "rooms/%2531", 403)] // a segment that contains "%31"
    [InlineData("rooms/1", "x/../rooms/1", 403)]
    [InlineData("rooms/1", "rooms/./1", 403)]
    [InlineData("rooms/1", "rooms//1", 400)]
    [InlineData("rooms/1", "/rooms/1", 400)]
    [InlineData("rooms/1", "rooms/1/", 400)]
    [InlineData("rooms/1", "rooms/1%00", 400)]
    [InlineData("rooms/1", "rooms/1%0A", 400)]
    [InlineData("rooms/1", "rooms/%EF%BC%91", 400)] // a full-width 1, which NFKC maps to 1
    [InlineData("rooms/K", "rooms/%E2%84%AA", 400)] // the Kelvin sign, which NFC maps to K
    [InlineData("rooms/caf%C3%A9", "rooms/caf%25C3%25A9", 200)] // escaped as TopicName.Of does
    [InlineData("rooms/caf%C3%A9", "rooms/cafe%25CC%2581", 403)] // the same word, decomposed
    [InlineData("rooms/caf%C3%A9", "rooms/caf%25c3%25a9", 403)]
    [InlineData("rooms/*", "rooms/1", 200)]
    [InlineData("rooms/*", "rooms/a%252Fb", 200)] // one segment with any content
    [InlineData("rooms/*", "rooms/1/x", 403)]
    [InlineData("rooms/*", "rooms", 403)]
    [InlineData("rooms/*", "rooms/*x", 400)]
    [InlineData("rooms/**", "rooms/1/x", 200)]
    [InlineData("rooms/**", "rooms", 403)]
    [InlineData("rooms/**", "roomsx/1", 403)]
    [InlineData("rooms/*/log", "rooms/1/log", 200)]
    [InlineData("rooms/*/log", "rooms/1/2/log", 403)]
    [InlineData("**", "anything/at/all", 200)]
    [InlineData("**", "dunlin/revocations", 403)] // a topic of the engine, which no token opens
    [InlineData("**", "dunlin/access", 403)]
    [InlineData("**", "records/revocations", 403)]
    public async Task A_pattern_does_not_match_similar_names(string pattern, string topic, int status)
    {
        Assert.Equal(
            status,
            (await Calls.TryOpenAsync(_server.Address, Mint.User("ann", ("subscribe", pattern)), "topic=" + topic)).Status
        );
        if (status == 400)
            return;
        var published = await Calls.TryPublishAsync(_server.Address, Mint.User("ann", ("publish", pattern)), WebUtility.UrlDecode(topic));
        Assert.Equal(status == 200 ? "ok" : "forbidden", published);
        var token = Mint.User("ann", ("subscribe", pattern));
        foreach (var path in new[] { "journal", "presence" })
            Assert.Equal(
                status,
                (await Calls.SendAsync(_server.Address, token, HttpMethod.Get, $"/dunlin/v1/{path}?topic={topic}")).Status
            );
    }

    [Theory]
    [InlineData("1", "users/1", 200)]
    [InlineData("1", "users/1/devices/phone", 200)]
    [InlineData("1", "users/10", 403)]
    [InlineData("1", "users/2", 403)]
    [InlineData("1", "users", 403)]
    [InlineData("Ann", "users/ann", 403)]
    [InlineData("a/b", "users/a", 403)]
    [InlineData("a/b", "users/a/b", 403)]
    [InlineData("a/b", "users/a%252Fb", 200)]
    [InlineData("..", "users/1", 403)]
    [InlineData("..", "users/../users/1", 200)] // an ordinary name, not a path
    public async Task A_user_reads_topics_below_the_own_user_id_only(string subject, string topic, int status) =>
        Assert.Equal(status, (await Calls.TryOpenAsync(_server.Address, Mint.User(subject), "topic=" + topic)).Status);

    [Theory]
    [InlineData("rooms/**", "rooms/**", 200)]
    [InlineData("rooms/**", "rooms/1/*", 200)]
    [InlineData("rooms/**", "rooms%2F%2A", 200)] // the same pattern in another encoding
    [InlineData("rooms/**", "Rooms/**", 403)]
    [InlineData("rooms/**", "rooms%252F/**", 403)] // a segment that contains "%2F"
    [InlineData("rooms/**", "*/1", 403)]
    [InlineData("rooms/*", "rooms/**", 403)]
    [InlineData("rooms/1", "rooms/*", 403)]
    [InlineData("**", "rooms/**", 200)]
    [InlineData("**", "**", 403)]
    [InlineData("**", "*", 403)]
    [InlineData("**", "*/access", 403)]
    [InlineData("**", "dunlin/**", 403)]
    [InlineData("**", "records/**", 403)]
    [InlineData("users/1/**", "users/1*", 400)]
    public async Task A_pattern_is_opened_by_a_grant_that_covers_all_of_it(string granted, string asked, int status)
    {
        var token = Mint.User("ann", ("subscribe", granted));
        Assert.Equal(status, (await Calls.TryOpenAsync(_server.Address, token, "topic=" + asked)).Status);
        Assert.Equal(status, (await Calls.SendAsync(_server.Address, token, HttpMethod.Get, $"/dunlin/v1/journal?topic={asked}")).Status);
    }

    [Fact]
    public async Task Batch_with_one_topic_without_grant_publishes_nothing()
    {
        var token = Mint.User("backend", ("publish", "a/*"), ("subscribe", "a/*"));
        object[] events =
        [
            new
            {
                topic = "a/1",
                type = "e",
                data = 1,
            },
            new
            {
                topic = "b/1",
                type = "e",
                data = 2,
            },
        ];
        var (status, answer) = await Calls.SendAsync(_server.Address, token, HttpMethod.Post, "/dunlin/v1/events", events);
        Assert.Equal((403, "forbidden"), (status, answer.GetProperty("code").GetString()));
        var (_, page) = await Calls.SendAsync(_server.Address, token, HttpMethod.Get, "/dunlin/v1/journal?topic=a/1");
        Assert.Equal(0, page.GetProperty("events").GetArrayLength());

        object[] allowed =
        [
            new
            {
                topic = "a/1",
                type = "e",
                data = 1,
            },
            new
            {
                topic = "a/2",
                type = "e",
                data = 2,
            },
            new
            {
                topic = "a/1",
                type = "e",
                data = 3,
                transient = true,
            },
        ];
        (status, answer) = await Calls.SendAsync(_server.Address, token, HttpMethod.Post, "/dunlin/v1/events", allowed);
        Assert.Equal(200, status);
        Assert.Equal(
            ["String", "String", "Null"],
            answer.GetProperty("positions").EnumerateArray().Select(position => position.ValueKind.ToString())
        );
    }

    [Fact]
    public async Task Stream_with_one_topic_without_grant_is_refused_naming_the_topic()
    {
        var (status, answer) = await Calls.SendAsync(
            _server.Address,
            Mint.User("ann", ("subscribe", "a/*")),
            HttpMethod.Get,
            "/dunlin/v1/events?topic=a/1&topic=b/1"
        );
        Assert.Equal(403, status);
        Assert.Contains("'b/1'", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Holding_and_preempting_leases_need_their_grants()
    {
        var (ann, chief) = (Mint.User("ann", ("hold", "files/*")), Mint.User("chief", ("take", "files/**")));
        Assert.Equal(201, await AcquireAsync(ann, "files/1", "ann-lease-0001"));
        Assert.Equal(423, await AcquireAsync(Mint.User("bob", ("hold", "files/1")), "files/1", "bob-lease-0001"));
        Assert.Equal(403, await AcquireAsync(ann, "files/1/page", "ann-lease-0002"));
        Assert.Equal(403, await AcquireAsync(Mint.User("eve", ("subscribe", "**"), ("publish", "**")), "files/2", "eve-lease-0001"));
        Assert.Equal(403, await TakeAsync(Mint.User("bob", ("hold", "files/*")), "bob-lease-0002"));
        // Administrators may not preempt leases here, unlike in the library's default policy: the token decides.
        Assert.Equal(403, await TakeAsync(Mint.Token("root", [("hold", "files/*")], ("roles", new[] { "admin" })), "root-lease-001"));
        Assert.Equal(201, await TakeAsync(chief, "chief-lease-01"));
        var (_, list) = await Calls.SendAsync(_server.Address, ann, HttpMethod.Get, "/dunlin/v1/leases?prefix=files");
        Assert.Equal("chief", list.GetProperty("leases")[0].GetProperty("owner").GetProperty("userId").GetString());
        var (_, none) = await Calls.SendAsync(_server.Address, Mint.User("eve"), HttpMethod.Get, "/dunlin/v1/leases?prefix=files");
        Assert.Equal(0, none.GetProperty("leases").GetArrayLength());
    }

    [Fact]
    public async Task Presence_is_seen_by_readers_of_the_topic()
    {
        await using var ann = await Calls.OpenAsync(
            _server.Address,
            Mint.User("ann", ("subscribe", "room/1")),
            "topic=room/1&presence=true"
        );
        await ann.UntilAsync("dunlin.hello");
        var (_, answer) = await Calls.SendAsync(
            _server.Address,
            Mint.User("bob", ("subscribe", "room/*")),
            HttpMethod.Get,
            "/dunlin/v1/presence?topic=room/1"
        );
        Assert.Equal("ann", answer.GetProperty("present")[0].GetProperty("userId").GetString());
    }

    [Fact]
    public async Task A_back_end_sends_to_one_user_and_to_one_device()
    {
        await using var phone = await Calls.OpenAsync(
            _server.Address,
            Mint.User("dora"),
            "topic=users/dora&topic=users/dora/devices/phone&device=phone"
        );
        await using var laptop = await Calls.OpenAsync(
            _server.Address,
            Mint.User("dora"),
            "topic=users/dora&topic=users/dora/devices/laptop&device=laptop"
        );
        await Calls.PublishAsync(_server.Address, Mint.Backend(), "users/dora/devices/phone", 1, "to.phone");
        await Calls.PublishAsync(_server.Address, Mint.Backend(), "users/dora", 2, "to.user");
        Assert.Equal(["to.phone", "to.user"], await TypesAsync(phone, "to.user"));
        Assert.Equal(["to.user"], await TypesAsync(laptop, "to.user"));
        var (_, connections) = await Calls.SendAsync(_server.Address, Mint.Backend(), HttpMethod.Get, "/dunlin/v1/connections?user=dora");
        Assert.Equal(
            ["laptop", "phone"],
            connections
                .GetProperty("connections")
                .EnumerateArray()
                .Select(c => c.GetProperty("device").GetString()!)
                .Order(StringComparer.Ordinal)
        );
    }

    private static async Task<List<string>> TypesAsync(
        TestKit.EventStreamReader<System.Net.ServerSentEvents.SseItem<string>> reader,
        string last
    )
    {
        await reader.UntilAsync(last);
        return [.. reader.Seen.Select(item => item.EventType).Where(type => !type.StartsWith("dunlin.", StringComparison.Ordinal))];
    }

    private async Task<int> AcquireAsync(string token, string resource, string leaseId) =>
        (
            await Calls.SendAsync(_server.Address, token, HttpMethod.Put, $"/dunlin/v1/leases/{resource}", new { leaseId, seconds = 60 })
        ).Status;

    private async Task<int> TakeAsync(string token, string leaseId) =>
        (
            await Calls.SendAsync(
                _server.Address,
                token,
                HttpMethod.Post,
                "/dunlin/v1/leases/files/1/take",
                new { leaseId, reason = "needed" }
            )
        ).Status;
}
