using Dunlin.Server.Tests.Support;

namespace Dunlin.Server.Tests;

/// <summary>A back end that issues tokens can revoke them.</summary>
public sealed class RevocationTests : IAsyncLifetime
{
    private static readonly (string Right, string Pattern)[] Grants =
    [
        ("subscribe", "a/*"),
        ("subscribe", "leases/files"),
        ("hold", "files/*"),
    ];

    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task G4_Revoking_a_user_ends_streams_at_once_and_invalidates_tokens()
    {
        var (token, publisher, other) = (Mint.Token("ann", Grants), Mint.Token("ann", [("publish", "**")]), Mint.Token("ann2", Grants));
        await using var first = await Calls.OpenAsync(_server.Address, token, "topic=a/1");
        await using var second = await Calls.OpenAsync(_server.Address, token, "topic=a/2");
        await using var kept = await Calls.OpenAsync(_server.Address, other, "topic=a/1");
        Assert.Equal(200, await RevokeAsync(new { userId = "ann", reason = "dismissed" }));
        foreach (var reader in new[] { first, second })
        {
            Assert.Contains("signedOut", (await reader.UntilAsync("dunlin.goodbye")).Data, StringComparison.Ordinal);
            await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        }
        Assert.Equal((401, "not_signed_in"), await Calls.TryOpenAsync(_server.Address, token, "topic=a/1"));
        Assert.Equal("not_signed_in", await Calls.TryPublishAsync(_server.Address, publisher, "a/1"));
        await Calls.PublishAsync(_server.Address, Mint.Backend(), "a/1", 1);
        await kept.UntilAsync("e");
        Assert.DoesNotContain(first.Seen, item => item.EventType == "e");
        Assert.Equal(200, (await Calls.TryOpenAsync(_server.Address, Later(), "topic=a/1")).Status);
    }

    [Fact]
    public async Task Revoking_one_session_leaves_the_others()
    {
        var (phone, laptop) = (Mint.Token("ann", Grants, ("sid", "phone")), Mint.Token("ann", Grants, ("sid", "laptop")));
        // The back end chooses session ids, so another user's may be equal.
        var bob = Mint.Token("bob", Grants, ("sid", "phone"));
        await using var onPhone = await Calls.OpenAsync(_server.Address, phone, "topic=a/1");
        await using var onLaptop = await Calls.OpenAsync(_server.Address, laptop, "topic=a/1");
        await using var bobs = await Calls.OpenAsync(_server.Address, bob, "topic=a/1");
        Assert.Equal(201, await AcquireAsync(bob, "files/bob", "bob-lease-0001"));
        Assert.Equal(200, await RevokeAsync(new { userId = "ann", sessionId = "phone" }));
        await onPhone.UntilAsync("dunlin.goodbye");
        Assert.Equal(401, (await Calls.TryOpenAsync(_server.Address, phone, "topic=a/1")).Status);
        await Calls.PublishAsync(_server.Address, Mint.Backend(), "a/1", 1);
        await onLaptop.UntilAsync("e");
        await bobs.UntilAsync("e");
        Assert.Equal(200, await AcquireAsync(bob, "files/bob", "bob-lease-0001")); // repeated
    }

    [Fact]
    public async Task Leases_of_a_revoked_user_are_released_and_announced()
    {
        await using var watcher = await Calls.OpenAsync(_server.Address, Mint.Token("bob", Grants), "topic=leases/files");
        Assert.Equal(201, await AcquireAsync(Mint.Token("ann", Grants), "files/1", "ann-lease-0001"));
        Assert.Equal(201, await AcquireAsync(Mint.Token("ann", Grants, ("sid", "s")), "files/2", "ann-lease-0002"));
        Assert.Equal(201, await AcquireAsync(Mint.Token("bob", Grants), "files/3", "bob-lease-0001"));
        Assert.Equal(200, await RevokeAsync(new { userId = "ann" }));
        var released = new[] { (await watcher.UntilAsync("lease.released")).Data, (await watcher.UntilAsync("lease.released")).Data };
        Assert.All(released, data => Assert.Contains("signedOut", data, StringComparison.Ordinal));
        Assert.Equal(201, await AcquireAsync(Mint.Token("bob", Grants), "files/1", "bob-lease-0002"));
        Assert.Equal(201, await AcquireAsync(Mint.Token("bob", Grants), "files/2", "bob-lease-0003"));
        Assert.Equal(200, await AcquireAsync(Mint.Token("bob", Grants), "files/3", "bob-lease-0001"));
    }

    [Fact]
    public async Task Revocation_with_renew_keeps_leases_and_asks_for_a_fresh_token()
    {
        var token = Mint.Token("ann", Grants);
        await using var reader = await Calls.OpenAsync(_server.Address, token, "topic=a/1");
        Assert.Equal(201, await AcquireAsync(token, "files/1", "ann-lease-0001"));
        Assert.Equal(200, await RevokeAsync(new { userId = "ann", renew = true }));
        Assert.Contains("tokenExpired", (await reader.UntilAsync("dunlin.goodbye")).Data, StringComparison.Ordinal);
        Assert.Equal(401, (await Calls.TryOpenAsync(_server.Address, token, "topic=a/1")).Status);
        Assert.Equal(423, await AcquireAsync(Mint.Token("bob", Grants), "files/1", "bob-lease-0001"));
        Assert.Equal(200, await AcquireAsync(Later(), "files/1", "ann-lease-0001"));
    }

    [Fact]
    public async Task Revocations_survive_a_restart()
    {
        var (user, session, free) = (
            Mint.Token("ann", Grants),
            Mint.Token("bob", Grants, ("sid", "s1")),
            Mint.Token("bob", Grants, ("sid", "s2"))
        );
        Assert.Equal(200, await RevokeAsync(new { userId = "ann" }));
        Assert.Equal(200, await RevokeAsync(new { userId = "bob", sessionId = "s1" }));
        await _server.StopAsync();
        await _server.StartAgainAsync();
        Assert.Equal(401, (await Calls.TryOpenAsync(_server.Address, user, "topic=a/1")).Status);
        Assert.Equal(401, (await Calls.TryOpenAsync(_server.Address, session, "topic=a/1")).Status);
        Assert.Equal(200, (await Calls.TryOpenAsync(_server.Address, free, "topic=a/1")).Status);
    }

    [Fact]
    public async Task A_ticket_issued_before_the_revocation_is_refused()
    {
        var (_, answer) = await Calls.SendAsync(_server.Address, Mint.Token("ann", Grants), HttpMethod.Post, "/api/v1/auth/ticket");
        Assert.Equal(200, await RevokeAsync(new { userId = "ann" }));
        Assert.Equal(
            401,
            (await Calls.TryOpenAsync(_server.Address, null, $"topic=a/1&ticket={answer.GetProperty("ticket").GetString()}")).Status
        );
    }

    [Fact]
    public async Task Tokens_issued_after_the_named_time_stay_valid()
    {
        var now = TimeProvider.System.GetUtcNow();
        Assert.Equal(200, await RevokeAsync(new { userId = "ann", before = now.AddMinutes(-5) }));
        Assert.Equal(200, (await Calls.TryOpenAsync(_server.Address, Mint.Token("ann", Grants), "topic=a/1")).Status);
        Assert.Equal(
            401,
            (
                await Calls.TryOpenAsync(
                    _server.Address,
                    Mint.Token("ann", Grants, ("iat", now.AddMinutes(-6).ToUnixTimeSeconds())),
                    "topic=a/1"
                )
            ).Status
        );
        // A token without an issue time may be older than any revocation.
        Assert.Equal(401, (await Calls.TryOpenAsync(_server.Address, WithoutIssue(), "topic=a/1")).Status);
        Assert.Equal(400, await RevokeAsync(new { userId = "ann", before = now.AddMinutes(5) }));
    }

    [Fact]
    public async Task Only_administrators_revoke_and_list_streams_of_other_users()
    {
        var publisher = Mint.User("backend", ("publish", "**"), ("subscribe", "**"), ("take", "**"));
        foreach (var (token, status) in new[] { (publisher, 403), ((string?)null, 401), (Mint.Backend(), 200) })
        {
            Assert.Equal(
                status,
                (await Calls.SendAsync(_server.Address, token, HttpMethod.Post, "/dunlin/v1/revocations", new { userId = "nobody" })).Status
            );
            Assert.Equal(
                status,
                (await Calls.SendAsync(_server.Address, token, HttpMethod.Get, "/dunlin/v1/connections?user=nobody")).Status
            );
        }
        var (_, stats) = await Calls.SendAsync(_server.Address, Mint.Backend(), HttpMethod.Get, "/dunlin/v1/stats");
        Assert.Equal(0, stats.GetProperty("totalConnections").GetInt32());
        var (_, own) = await Calls.SendAsync(_server.Address, publisher, HttpMethod.Get, "/dunlin/v1/stats");
        Assert.Equal(System.Text.Json.JsonValueKind.Null, own.GetProperty("totalConnections").ValueKind);
    }

    [Theory]
    [InlineData("""{}""", "userId")]
    [InlineData("""{"userId":""}""", "userId")]
    [InlineData("""{"userId":7}""", "userId")]
    [InlineData("""{"userId":"a","sessionId":""}""", "sessionId")]
    [InlineData("""{"userId":"a","before":"yesterday"}""", "before")]
    [InlineData("""{"userId":"a","renew":"yes"}""", "renew")]
    [InlineData("""{"userId":"a","user":"b"}""", "user")]
    public async Task An_invalid_request_names_the_field(string body, string field)
    {
        var (status, answer) = await Calls.SendAsync(
            _server.Address,
            Mint.Backend(),
            HttpMethod.Post,
            "/dunlin/v1/revocations",
            System.Text.Json.JsonDocument.Parse(body).RootElement
        );
        Assert.Equal((400, field), (status, answer.GetProperty("field").GetString()));
    }

    private static string Later() => Mint.Token("ann", Grants, ("iat", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 2));

    private static string WithoutIssue()
    {
        var claims = Mint.Claims("ann", Grants);
        claims.Remove("iat");
        return Mint.Sign(Mint.Key, claims);
    }

    private async Task<int> RevokeAsync(object body) =>
        (await Calls.SendAsync(_server.Address, Mint.Backend(), HttpMethod.Post, "/dunlin/v1/revocations", body)).Status;

    private async Task<int> AcquireAsync(string token, string resource, string leaseId) =>
        (
            await Calls.SendAsync(_server.Address, token, HttpMethod.Put, $"/dunlin/v1/leases/{resource}", new { leaseId, seconds = 60 })
        ).Status;
}
