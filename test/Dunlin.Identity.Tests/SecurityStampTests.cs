using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.AspNetCore.Tests;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity.Tests;

/// <summary>A session is valid for the security stamp of its start.</summary>
public sealed class SecurityStampTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _plain = _host.Plain();
        await _host.CreateAsync("alice", "user");
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_session_with_an_old_stamp_is_refused_although_its_row_exists()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        using var ticketed = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", signedIn.Token);
        var ticket = (await ticketed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ticket").GetString();
        var account = (await _host.AccountStore.FindByIdAsync("id-alice", default))!;
        await _host.AccountStore.SaveAsync(account with { SecurityStamp = "another", Version = null }, default);
        _host.Clock.Advance(SessionCache.MaxAge);

        Assert.Equal(signedIn.SessionId, Assert.Single(_host.SessionStore.All).SessionId);
        await RefusedAsync(HttpMethod.Get, "/api/whoami", token: signedIn.Token);
        await RefusedAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie);
        await RefusedAsync(HttpMethod.Get, "/api/guarded", cookie: signedIn.Cookie);
        await RefusedAsync(HttpMethod.Get, $"/api/stream?ticket={ticket}");
        await RefusedAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: signedIn.Cookie);
        await OpensAsync(await _host.SignInAsync(_plain, "alice"));
    }

    [Fact]
    public async Task A_password_change_during_a_sign_in_with_the_old_one_leaves_no_session()
    {
        _host.AccountStore.AfterFindByName = async () =>
        {
            _host.AccountStore.AfterFindByName = null;
            await _host.Accounts.SetPasswordAsync("id-alice", "another password", default);
        };
        var signedIn = await _host.SignInAsync(_plain, "alice");
        await RefusedAsync(HttpMethod.Get, "/api/whoami", token: signedIn.Token);
        await RefusedAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("sessions")]
    public async Task Ending_sessions_changes_the_stamp_and_keeps_later_ones(string change)
    {
        var before = await _host.SignInAsync(_plain, "alice");
        var stamp = (await _host.AccountStore.FindByIdAsync("id-alice", default))!.SecurityStamp;
        if (change == "password")
            await _host.Accounts.SetPasswordAsync("id-alice", TestHost.Password, default);
        else
            await _host.Accounts.EndSessionsAsync("id-alice", "locked", default);
        Assert.NotEqual(stamp, (await _host.AccountStore.FindByIdAsync("id-alice", default))!.SecurityStamp);
        Assert.Empty(_host.SessionStore.All);
        await RefusedAsync(HttpMethod.Get, "/api/whoami", token: before.Token);

        var later = await _host.SignInAsync(_plain, "alice");
        await _host.Accounts.SetRolesAsync("id-alice", ["admin"], default);
        await OpensAsync(later);
        await _host.Accounts.EndSessionsAsync("nobody", "locked", default);
        await OpensAsync(later);
    }

    [Fact]
    public async Task A_session_without_a_stamp_is_valid_for_an_account_without_one()
    {
        // Account and session as version 0.1.0 stored them.
        var account = (await _host.AccountStore.FindByIdAsync("id-alice", default))! with
        {
            SecurityStamp = "",
            Version = null,
        };
        await _host.AccountStore.SaveAsync(account, default);
        var signedIn = await _host.SignInAsync(_plain, "alice");
        Assert.Equal("", Assert.Single(_host.SessionStore.All).SecurityStamp);
        await OpensAsync(signedIn);
        await _host.Accounts.EndSessionsAsync("id-alice", "locked", default);
        await RefusedAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie);
    }

    [Fact]
    public async Task Rehashing_an_old_hash_ends_no_session()
    {
        var first = await _host.SignInAsync(_plain, "alice");
        await WeakenAsync();
        var weak = (await _host.AccountStore.FindByIdAsync("id-alice", default))!.PasswordHash;
        var second = await _host.SignInAsync(_plain, "alice");
        Assert.NotEqual(weak, (await _host.AccountStore.FindByIdAsync("id-alice", default))!.PasswordHash);
        await OpensAsync(first);
        await OpensAsync(second);
    }

    [Fact]
    public async Task Rehashing_does_not_restore_a_concurrently_changed_password()
    {
        await WeakenAsync();
        _host.AccountStore.AfterFindByName = async () =>
        {
            _host.AccountStore.AfterFindByName = null;
            await _host.Accounts.SetPasswordAsync("id-alice", "another password", default);
        };
        await _host.SignInAsync(_plain, "alice");
        Assert.Null(await _host.Accounts.CheckPasswordAsync("alice", TestHost.Password, default));
        Assert.NotNull(await _host.Accounts.CheckPasswordAsync("alice", "another password", default));
    }

    private async Task WeakenAsync()
    {
        var hasher = new PasswordHasher<AccountUser>(Options.Create(new PasswordHasherOptions { IterationCount = 10 }));
        var account = (await _host.AccountStore.FindByIdAsync("id-alice", default))!;
        var weak = hasher.HashPassword(new AccountUser("", "", ""), TestHost.Password);
        await _host.AccountStore.SaveAsync(account with { PasswordHash = weak, Version = null }, default);
    }

    private async Task OpensAsync(SignedIn signedIn)
    {
        foreach (var (token, cookie) in new (string?, string?)[] { (signedIn.Token, null), (null, signedIn.Cookie) })
        {
            using var response = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", token, cookie);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    private async Task RefusedAsync(HttpMethod method, string path, string? token = null, string? cookie = null)
    {
        using var response = await _plain.SendAsync(method, path, token, cookie);
        await HttpAssert.ProblemAsync(response, 401, "not_signed_in");
    }
}
