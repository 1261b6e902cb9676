using System.Net;
using System.Net.Http.Json;
using Dunlin.Accounts;
using Dunlin.AspNetCore.Tests;
using Dunlin.InMemory;
using Dunlin.TestKit;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity.Tests;

public sealed class ThrottleTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");

    private readonly ManualTime _clock = new();
    private readonly InMemoryAccountStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<bool> WithAndWithoutAccount() => [true, false];

    [Theory]
    [MemberData(nameof(WithAndWithoutAccount))]
    public async Task After_the_allowed_failures_waits_double_up_to_the_maximum(bool hasAccount)
    {
        var lockout = Lockout(new AccountOptions { FailuresPerAccount = 3, MaxWait = TimeSpan.FromSeconds(6) });
        var alice = User("alice", hasAccount);
        for (var i = 0; i < 3; i++)
            Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        foreach (var seconds in new[] { 1, 2, 4, 6, 6 })
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), await lockout.BeginAsync(User("Alice", hasAccount), Cancellation));
            // An attempt during the wait does not extend it.
            Assert.Equal(TimeSpan.FromSeconds(seconds), await lockout.BeginAsync(User("ALICE", hasAccount), Cancellation));
            _clock.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        }
        Assert.Null(await lockout.BeginAsync(User("bob", hasAccount), Cancellation));
    }

    [Fact]
    public async Task A_success_resets_the_failures_of_the_account()
    {
        var lockout = Lockout(new AccountOptions { FailuresPerAccount = 2 });
        var alice = User("alice", hasAccount: true);
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        await lockout.ClearAsync(alice, Cancellation);
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        Assert.NotNull(await lockout.BeginAsync(alice, Cancellation));
    }

    [Fact]
    public void An_address_is_throttled_over_all_accounts_despite_own_successes()
    {
        var throttle = Addresses(new AccountOptions { FailuresPerAddress = 3 });
        for (var i = 0; i < 3; i++)
            Assert.Null(throttle.Begin(Here));
        Assert.NotNull(throttle.Begin(Here));
        Assert.Null(throttle.Begin(IPAddress.Parse("192.0.2.2")));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(throttle.Begin(Here));
        throttle.Succeeded(Here);
        Assert.NotNull(throttle.Begin(Here));
    }

    [Fact]
    public void An_attempt_refused_before_the_check_does_not_count()
    {
        var throttle = Addresses(new AccountOptions { FailuresPerAddress = 2 });
        for (var i = 0; i < 10; i++)
        {
            Assert.Null(throttle.Begin(Here));
            throttle.Refused(Here);
        }
        Assert.Null(throttle.Begin(Here));
        Assert.Null(throttle.Begin(Here));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(throttle.Begin(Here));
        throttle.Refused(Here);
        Assert.Null(throttle.Begin(Here)); // the wait still counts from the second failure
        Assert.NotNull(throttle.Begin(Here));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void A_network_of_one_customer_counts_as_one_address(string first, string second, bool same)
    {
        var throttle = Addresses(new AccountOptions { FailuresPerAddress = 1 });
        Assert.Null(throttle.Begin(IPAddress.Parse(first)));
        Assert.Equal(same, throttle.Begin(IPAddress.Parse(second)) is not null);
    }

    [Theory]
    [MemberData(nameof(WithAndWithoutAccount))]
    public async Task Failures_expire_after_a_quiet_period(bool hasAccount)
    {
        var lockout = Lockout(new AccountOptions { FailuresPerAccount = 1 });
        var alice = User("alice", hasAccount);
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        for (var i = 0; i < 4; i++)
        {
            _clock.Advance((await lockout.BeginAsync(alice, Cancellation))!.Value);
            Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        }
        _clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Null(await lockout.BeginAsync(alice, Cancellation));
        Assert.Equal(TimeSpan.FromSeconds(1), await lockout.BeginAsync(alice, Cancellation));
    }

    [Fact]
    public void A_flood_of_addresses_uses_bounded_memory_and_evicts_the_oldest()
    {
        var throttle = Addresses(new AccountOptions { FailuresPerAddress = 1, MaxWait = TimeSpan.FromHours(1) });
        for (var i = 0; i <= AddressThrottle.MaxEntries; i++)
            Assert.Null(throttle.Begin(Of(i)));
        Assert.NotNull(throttle.Begin(Of(AddressThrottle.MaxEntries)));
        Assert.NotNull(throttle.Begin(Of(1)));
        Assert.Null(throttle.Begin(Of(0)));

        static IPAddress Of(int i) => new([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i]);
    }

    [Fact]
    public async Task Old_failures_leave_the_store()
    {
        var lockout = Lockout(new AccountOptions());
        foreach (var hasAccount in new[] { true, false })
            await lockout.BeginAsync(User("old", hasAccount), Cancellation);
        _clock.Advance(TimeSpan.FromMinutes(16));
        await lockout.BeginAsync(User("new", hasAccount: false), Cancellation);
        foreach (var hasAccount in new[] { true, false })
            Assert.Equal(0, (await lockout.FindAsync(User("old", hasAccount), Cancellation)).Count);
        Assert.Equal(1, (await lockout.FindAsync(User("new", hasAccount: false), Cancellation)).Count);
    }

    [Fact]
    public async Task Concurrent_guesses_are_not_all_allowed()
    {
        var lockout = Lockout(new AccountOptions { FailuresPerAccount = 5 });
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(_ => Task.Run(async () => await lockout.BeginAsync(User("alice", hasAccount: true), Cancellation)))
        );
        Assert.Equal(5, results.Count(wait => wait is null));
    }

    [Fact]
    public async Task Over_HTTP_the_wait_is_reported_and_the_right_password_has_to_wait()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = accounts => accounts.FailuresPerAccount = 3 });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        foreach (var name in new[] { "alice", "nobody" })
        {
            for (var i = 0; i < 3; i++)
            {
                using var wrong = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = name, password = "wrong" });
                await HttpAssert.ProblemAsync(wrong, 401, "invalid_credentials");
            }
            using var slowed = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = name, password = TestHost.Password });
            var problem = await HttpAssert.ProblemAsync(slowed, 429, "too_many_requests");
            Assert.Equal("1", slowed.Headers.GetValues("Retry-After").Single());
            Assert.Equal("retry", problem.GetProperty("class").GetString());
        }
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        await host.SignInAsync(client, "alice");
        await host.SignInAsync(client, "alice");
        Assert.Contains(" 4022 ", host.Log.All, StringComparison.Ordinal);
    }

    private SignInLockout Lockout(AccountOptions options) => new(_store, Options.Create(options), _clock);

    private AddressThrottle Addresses(AccountOptions options) => new(Options.Create(options), _clock);

    private static AccountUser User(string name, bool hasAccount) =>
        hasAccount ? new AccountUser(new AccountRow($"id-{name.ToUpperInvariant()}", name, name, "", [])) : AccountUser.Unknown(name);
}
