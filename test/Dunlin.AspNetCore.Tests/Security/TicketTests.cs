using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Security;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class TicketTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _client = null!;
    private SignedIn _signedIn = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _client = _host.Plain();
        await _host.CreateAsync("alice", "user");
        _signedIn = await _host.SignInAsync(_client, "alice");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_opens_one_stream_as_its_user()
    {
        var ticket = await TicketAsync();
        using var first = await _client.GetAsync($"/api/stream?ticket={ticket}&deviceId=phone");
        var who = await first.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("id-alice", who.GetProperty("userId").GetString());
        Assert.Equal(_signedIn.SessionId, who.GetProperty("sessionId").GetString());
        Assert.Equal("phone", who.GetProperty("deviceId").GetString());
        Assert.Equal(_host.Clock.GetUtcNow().AddSeconds(930), who.GetProperty("expiresAt").GetDateTimeOffset());
        using var second = await _client.GetAsync($"/api/stream?ticket={ticket}");
        await HttpAssert.ProblemAsync(second, 401, "not_signed_in");
    }

    [Fact]
    public async Task Concurrent_use_of_a_ticket_succeeds_once()
    {
        var ticket = await TicketAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _client.GetAsync($"/api/stream?ticket={ticket}")));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_ticket_expires_after_thirty_seconds()
    {
        var (early, late) = (await TicketAsync(), await TicketAsync());
        _host.Clock.Advance(TimeSpan.FromSeconds(29));
        using (var response = await _client.GetAsync($"/api/stream?ticket={early}"))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        _host.Clock.Advance(TimeSpan.FromSeconds(1));
        using var refused = await _client.GetAsync($"/api/stream?ticket={late}");
        await HttpAssert.ProblemAsync(refused, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_ticket_is_valid_for_streams_only_and_other_requests_do_not_use_it_up()
    {
        var ticket = await TicketAsync();
        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Get, "/api/whoami"),
                (HttpMethod.Post, "/api/write"),
                (HttpMethod.Get, "/api/guarded"),
                (HttpMethod.Post, "/api/v1/auth/refresh"),
                (HttpMethod.Post, "/api/v1/auth/ticket"),
            }
        )
        {
            using var refused = await _client.SendAsync(method, $"{path}?ticket={ticket}");
            await HttpAssert.ProblemAsync(refused, 401, "not_signed_in");
        }
        using var taken = await _client.GetAsync($"/api/stream?ticket={ticket}");
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task An_invented_ticket_is_refused(string ticket)
    {
        using var refused = await _client.GetAsync($"/api/stream?ticket={ticket}");
        await HttpAssert.ProblemAsync(refused, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_ticket_ends_with_its_session()
    {
        var ticket = await TicketAsync();
        await _host.Accounts.EndSessionsAsync("id-alice", "locked", default);
        using var refused = await _client.GetAsync($"/api/stream?ticket={ticket}");
        await HttpAssert.ProblemAsync(refused, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_stale_cookie_does_not_invalidate_a_ticket()
    {
        var ticket = await TicketAsync();
        using var response = await _client.SendAsync(HttpMethod.Get, $"/api/stream?ticket={ticket}", cookie: $"gone.{new string('A', 43)}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_ticket_needs_a_sign_in()
    {
        using var response = await _client.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket");
        await HttpAssert.ProblemAsync(response, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_long_lived_token_in_the_URL_is_refused_even_if_valid()
    {
        foreach (var query in new[] { $"access_token={_signedIn.Token}", "access_token=x", $"token={_signedIn.Token}" })
        {
            using var response = await _client.SendAsync(HttpMethod.Get, $"/api/stream?{query}", _signedIn.Token);
            var problem = await HttpAssert.ProblemAsync(response, 400, "invalid_field");
            Assert.Equal(query.Split('=')[0], problem.GetProperty("field").GetString());
            Assert.Contains("ticket", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        using var shareLink = await _client.SendAsync(HttpMethod.Get, "/api/stream?token=share-42", _signedIn.Token);
        Assert.Equal(HttpStatusCode.OK, shareLink.StatusCode);
    }

    [Fact]
    public async Task Unused_tickets_are_limited_per_user_and_expire()
    {
        var store = new InMemoryTicketStore();
        var now = _host.Clock.GetUtcNow();
        TicketRow Make(int i, string user, DateTimeOffset at) =>
            new($"{user}{i}{at.Ticks}", user, user, [], null, false, at.AddSeconds(30), null);
        for (var i = 0; i < InMemoryTicketStore.MaxTicketsPerUser; i++)
            await store.AddAsync(Make(i, "a", now), now, default);
        var fault = await Assert.ThrowsAsync<DunlinException>(async () => await store.AddAsync(Make(-1, "a", now), now, default));
        Assert.Equal("too_many_requests", fault.Code.Code);
        Assert.Equal(TimeSpan.FromSeconds(30), fault.RetryAfter);
        await store.AddAsync(Make(0, "b", now), now, default);
        now = now.AddSeconds(30);
        await store.AddAsync(Make(-1, "a", now), now, default);
    }

    [Fact]
    public async Task Used_tickets_do_not_count_for_the_limit_of_their_user()
    {
        var store = new InMemoryTicketStore();
        var now = _host.Clock.GetUtcNow();
        for (var i = 0; i < InMemoryTicketStore.MaxTicketsPerUser * 2; i++)
        {
            await store.AddAsync(new TicketRow($"{i}", "a", "a", [], null, false, now.AddSeconds(30), null), now, default);
            Assert.NotNull(await store.TakeAsync($"{i}", now, default));
        }
    }

    private async Task<string> TicketAsync()
    {
        using var response = await _client.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", _signedIn.Token);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(30, answer.GetProperty("expiresIn").GetInt32());
        return answer.GetProperty("ticket").GetString()!;
    }
}
