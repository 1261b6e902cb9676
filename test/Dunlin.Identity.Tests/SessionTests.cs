using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.AspNetCore.Tests;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Identity.Tests;

/// <summary>The duration of a session, and that nothing of it stays valid after its end.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _plain = _host.Plain();
        await _host.CreateAsync("alice", "user", "admin");
        await _host.CreateAsync("bob");
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_token_ends_before_its_session_and_a_cookie_with_it()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        Assert.Equal(_host.Clock.GetUtcNow().AddSeconds(900 + 30), await ExpiryAsync(signedIn.Token, null));
        Assert.Equal(_host.Clock.GetUtcNow().AddDays(7), await ExpiryAsync(null, signedIn.Cookie));

        _host.Clock.Advance(TimeSpan.FromSeconds(930));
        await RefusedAsync(token: signedIn.Token);
        _host.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromSeconds(931));
        Assert.NotNull(await ExpiryAsync(null, signedIn.Cookie));
        _host.Clock.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(cookie: signedIn.Cookie);
    }

    [Fact]
    public async Task Administration_lists_sessions_and_ends_a_single_one()
    {
        var sessions = _host.Services.GetRequiredService<ISessions>();
        var first = await _host.SignInAsync(_plain, "alice");
        var second = await _host.SignInAsync(_plain, "alice");
        EndedSession? told = null;
        using var listening = _host.Changes.OnSessionEnded(ended => told = ended);
        Assert.Equal(
            new HashSet<string> { first.SessionId, second.SessionId },
            (await sessions.ListAsync(default)).Select(s => s.SessionId).ToHashSet()
        );

        Assert.True(await sessions.EndAsync(first.SessionId, "ended_by_administrator", default, default));

        await RefusedAsync(token: first.Token);
        await RefusedAsync(cookie: first.Cookie);
        Assert.NotNull(await ExpiryAsync(second.Token, null));
        Assert.Equal(new EndedSession("id-alice", first.SessionId, "ended_by_administrator"), told);
        Assert.False(await sessions.EndAsync(first.SessionId, "again", default, default));
        Assert.False(await sessions.EndAsync("nobody", "never", default, default));
        Assert.Equal([second.SessionId], (await sessions.ListAsync(default)).Select(s => s.SessionId));
    }

    [Fact]
    public async Task A_refresh_needs_the_session_cookie()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        var other = await _host.SignInAsync(_plain, "alice");
        _host.Clock.Advance(TimeSpan.FromMinutes(10));
        foreach (var token in new[] { null, signedIn.Token })
        {
            using var response = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", token, signedIn.Cookie);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal(signedIn.SessionId, answer.GetProperty("sessionId").GetString());
            Assert.NotEqual(signedIn.Token, answer.GetProperty("accessToken").GetString());
        }
        // A token without a cookie, the token of another session, an invalid token, and none.
        foreach (
            var (token, cookie) in new (string?, string?)[]
            {
                (signedIn.Token, null),
                (other.Token, signedIn.Cookie),
                ("x", signedIn.Cookie),
                (null, null),
            }
        )
        {
            using var response = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", token, cookie);
            await HttpAssert.ProblemAsync(response, 401, "not_signed_in");
        }
    }

    [Fact]
    public async Task Sign_out_ends_cookie_and_tokens_and_notifies_the_engine()
    {
        var ended = new List<EndedSession>();
        using var subscription = _host.Changes.OnSessionEnded(ended.Add);
        var first = await _host.SignInAsync(_plain, "alice");
        var second = await _host.SignInAsync(_plain, "alice");
        Assert.NotNull(await ExpiryAsync(first.Token, null)); // cached now

        using var response = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/logout", first.Token);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        await RefusedAsync(token: first.Token);
        await RefusedAsync(cookie: first.Cookie);
        Assert.NotNull(await ExpiryAsync(second.Token, null));
        Assert.Equal([new EndedSession("id-alice", first.SessionId, "signed_out")], ended);

        using var again = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/logout", cookie: first.Cookie);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
        // The cookie is no longer recognised as this server's.
        Assert.Null(TestHost.Cookie(again));
        Assert.Single(ended);
    }

    [Fact]
    public async Task Sign_in_as_another_user_ends_the_browsers_first_session()
    {
        using var browser = _host.Browser();
        var ended = new List<EndedSession>();
        using var subscription = _host.Changes.OnSessionEnded(ended.Add);
        var alice = await _host.SignInAsync(browser, "alice");
        var bob = await _host.SignInAsync(browser, "bob");
        Assert.Equal([new EndedSession("id-alice", alice.SessionId, "replaced")], ended);
        await RefusedAsync(token: alice.Token);
        Assert.NotNull(await ExpiryAsync(bob.Token, null));
    }

    [Fact]
    public async Task New_roles_apply_to_issued_tokens_and_are_announced()
    {
        var told = new List<string>();
        using var subscription = _host.Changes.OnRightsChanged(told.Add);
        var signedIn = await _host.SignInAsync(_plain, "alice");
        using (var before = await _plain.SendAsync(HttpMethod.Get, "/api/admin", signedIn.Token))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        await _host.Accounts.SetRolesAsync("id-alice", ["user"], default);
        using var after = await _plain.SendAsync(HttpMethod.Get, "/api/admin", signedIn.Token);
        await HttpAssert.ProblemAsync(after, 403, "forbidden");
        Assert.Equal(["id-alice"], told);
    }

    [Fact]
    public async Task A_new_password_ends_all_sessions_of_its_user_only()
    {
        var alice = await _host.SignInAsync(_plain, "alice");
        var bob = await _host.SignInAsync(_plain, "bob");
        await _host.Accounts.SetPasswordAsync("id-alice", "another password", default);
        await RefusedAsync(token: alice.Token);
        await RefusedAsync(cookie: alice.Cookie);
        Assert.NotNull(await ExpiryAsync(bob.Token, null));
        Assert.Null(await _host.Accounts.CheckPasswordAsync("alice", TestHost.Password, default));
        Assert.NotNull(await _host.Accounts.CheckPasswordAsync("alice", "another password", default));
    }

    [Fact]
    public async Task A_session_ended_elsewhere_is_noticed_within_the_cache_time()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        Assert.NotNull(await ExpiryAsync(signedIn.Token, null));
        var finds = _host.SessionStore.Finds;
        Assert.NotNull(await ExpiryAsync(signedIn.Token, null));
        Assert.Equal(finds, _host.SessionStore.Finds);
        await _host.SessionStore.RemoveAsync(new EndedSession("id-alice", signedIn.SessionId, "removed"), default);
        _host.Clock.Advance(SessionCache.MaxAge);
        await RefusedAsync(token: signedIn.Token);
    }

    [Fact]
    public async Task A_store_fault_is_not_reported_as_signed_out()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        _host.SessionStore.Fault = new DunlinException(ErrorCode.StoreUnavailable);
        foreach (var path in new[] { "/api/whoami", "/api/guarded", "/api/v1/auth/status" })
        {
            using var response = await _plain.SendAsync(HttpMethod.Get, path, signedIn.Token);
            await HttpAssert.ProblemAsync(response, 503, "store_unavailable");
        }
        _host.SessionStore.Fault = new InvalidOperationException("disk on fire");
        using var broken = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: signedIn.Cookie);
        await HttpAssert.ProblemAsync(broken, 500, "internal");
        Assert.False(broken.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Expired_sessions_leave_the_store()
    {
        await _host.SignInAsync(_plain, "alice");
        _host.Clock.Advance(TimeSpan.FromDays(8));
        var later = await _host.SignInAsync(_plain, "alice");
        Assert.Equal(later.SessionId, Assert.Single(_host.SessionStore.All).SessionId);
    }

    private async Task<DateTimeOffset?> ExpiryAsync(string? token, string? cookie)
    {
        using var response = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", token, cookie);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("expiresAt").GetDateTimeOffset();
    }

    private async Task RefusedAsync(string? token = null, string? cookie = null)
    {
        using var response = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", token, cookie);
        await HttpAssert.ProblemAsync(response, 401, "not_signed_in");
    }
}
