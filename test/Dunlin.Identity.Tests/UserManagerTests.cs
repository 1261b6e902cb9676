using System.Net.Http.Json;
using Dunlin.AspNetCore.Tests;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Identity.Tests;

/// <summary>An application can use <c>UserManager&lt;AccountUser&gt;</c>.</summary>
public sealed class UserManagerTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _plain = null!;
    private AsyncServiceScope _scope;
    private UserManager<AccountUser> _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync(
            new HostSetup
            {
                Services = services =>
                    services
                        .AddScoped<IPasswordValidator<AccountUser>, NoNames>()
                        // Options for the application's own users.
                        .Configure<IdentityOptions>(identity =>
                            (identity.Password.RequiredLength, identity.Lockout.MaxFailedAccessAttempts) = (30, 1)
                        ),
            }
        );
        _plain = _host.Plain();
        await _host.CreateAsync("alice", "user", "Teams/7");
        _scope = _host.Services.CreateAsyncScope();
        _manager = _scope.ServiceProvider.GetRequiredService<UserManager<AccountUser>>();
    }

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        _plain.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Roles_keep_their_case_and_changes_are_announced()
    {
        var told = new List<string>();
        using var subscription = _host.Changes.OnRightsChanged(told.Add);
        var alice = (await _manager.FindByNameAsync("ALICE"))!;
        Assert.True(await _manager.IsInRoleAsync(alice, "Teams/7"));
        Assert.False(await _manager.IsInRoleAsync(alice, "teams/7"));
        Assert.True((await _manager.AddToRoleAsync(alice, "teams/7")).Succeeded);
        Assert.True((await _manager.RemoveFromRoleAsync(alice, "user")).Succeeded);
        Assert.Equal(["Teams/7", "teams/7"], (await _host.AccountStore.FindByIdAsync("id-alice", default))!.Roles);
        Assert.Equal(["id-alice", "id-alice"], told);
        Assert.Equal("id-alice", Assert.Single(await _manager.GetUsersInRoleAsync("teams/7")).Id);
    }

    [Fact]
    public async Task A_password_change_by_the_manager_ends_the_sessions()
    {
        var ended = new List<EndedSession>();
        using var subscription = _host.Changes.OnSessionEnded(ended.Add);
        var signedIn = await _host.SignInAsync(_plain, "alice");
        var alice = (await _manager.FindByIdAsync("id-alice"))!;
        Assert.False((await _manager.ChangePasswordAsync(alice, "wrong", "another password")).Succeeded);
        Assert.Empty(ended);
        Assert.True((await _manager.ChangePasswordAsync(alice, TestHost.Password, "another password")).Succeeded);
        Assert.Equal([new EndedSession("id-alice", signedIn.SessionId, "security_stamp_changed")], ended);
        Assert.True(await _manager.CheckPasswordAsync(alice, "another password"));
    }

    [Fact]
    public async Task The_manager_uses_the_lockout_of_sign_ins()
    {
        var alice = (await _manager.FindByIdAsync("id-alice"))!;
        for (var i = 0; i < 5; i++)
        {
            Assert.False(await _manager.IsLockedOutAsync(alice));
            await _manager.AccessFailedAsync(alice);
        }
        Assert.True(await _manager.IsLockedOutAsync(alice));
        Assert.Equal(5, await _manager.GetAccessFailedCountAsync(alice));
        Assert.Equal(_host.Clock.GetUtcNow().AddSeconds(1), await _manager.GetLockoutEndDateAsync(alice));
        await RefusedAsync("1");
        _host.Clock.Advance(TimeSpan.FromSeconds(1));
        await _host.SignInAsync(_plain, "alice");
        Assert.Equal(0, await _manager.GetAccessFailedCountAsync(alice));
    }

    [Fact]
    public async Task An_account_locked_by_an_administrator_stays_locked()
    {
        var alice = (await _manager.FindByIdAsync("id-alice"))!;
        Assert.True((await _manager.SetLockoutEndDateAsync(alice, _host.Clock.GetUtcNow().AddDays(2))).Succeeded);
        _host.Clock.Advance(TimeSpan.FromDays(1));
        using (await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username = "nobody", password = "wrong" }))
            await RefusedAsync("86400"); // also after old failures were forgotten
        Assert.True((await _manager.SetLockoutEndDateAsync(alice, null)).Succeeded);
        await _host.SignInAsync(_plain, "alice");
    }

    [Fact]
    public async Task A_password_rule_of_the_application_applies_to_every_change()
    {
        var created = await Assert.ThrowsAsync<DunlinException>(async () =>
            await _host.Accounts.CreateAsync(new NewAccount("bob", "my name is bob", "Bob", []), default)
        );
        var changed = await Assert.ThrowsAsync<DunlinException>(async () =>
            await _host.Accounts.SetPasswordAsync("id-alice", "alice in wonderland", default)
        );
        foreach (var error in new[] { created, changed })
            Assert.Equal(("invalid_field", "password", "Leave your name out."), (error.Code.Code, error.Field, error.Message));
        await _host.SignInAsync(_plain, "alice");
    }

    [Fact]
    public async Task Names_are_checked_only_when_they_change()
    {
        var stored = (await _host.AccountStore.FindByIdAsync("id-alice", default))!;
        await _host.AccountStore.SaveAsync(stored with { FullName = " of another rule", Version = null }, default);
        await _host.Accounts.SetRolesAsync("id-alice", ["admin"], default);
        await _host.CreateAsync("bob");
        var alice = (await _manager.FindByIdAsync("id-alice"))!;
        Assert.Equal("DuplicateUserName", Assert.Single((await _manager.SetUserNameAsync(alice, "BOB")).Errors).Code);
        alice = (await _manager.FindByIdAsync("id-alice"))!;
        Assert.False((await _manager.SetUserNameAsync(alice, "a\nb")).Succeeded);
        alice = (await _manager.FindByIdAsync("id-alice"))!;
        Assert.True((await _manager.SetUserNameAsync(alice, "Älicia")).Succeeded);
        Assert.Equal("id-alice", (await _manager.FindByNameAsync("äLICIA"))!.Id);
    }

    [Fact]
    public async Task A_concurrently_changed_user_is_not_overwritten()
    {
        var (first, second) = ((await _manager.FindByIdAsync("id-alice"))!, (await _manager.FindByIdAsync("id-alice"))!);
        Assert.True((await _manager.AddToRoleAsync(first, "admin")).Succeeded);
        Assert.Equal("ConcurrencyFailure", Assert.Single((await _manager.AddToRoleAsync(second, "reviewer")).Errors).Code);
        await Assert.ThrowsAsync<NotSupportedException>(() => _manager.DeleteAsync(first));
    }

    private async Task RefusedAsync(string seconds)
    {
        using var refused = await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username = "alice", password = TestHost.Password });
        await HttpAssert.ProblemAsync(refused, 429, "too_many_requests");
        Assert.Equal(seconds, refused.Headers.GetValues("Retry-After").Single());
    }

    private sealed class NoNames : IPasswordValidator<AccountUser>
    {
        public Task<IdentityResult> ValidateAsync(UserManager<AccountUser> manager, AccountUser user, string? password) =>
            Task.FromResult(
                password!.Contains(user.UserName, StringComparison.OrdinalIgnoreCase)
                    ? IdentityResult.Failed(new IdentityError { Code = "PasswordHasName", Description = "Leave your name out." })
                    : IdentityResult.Success
            );
    }
}
