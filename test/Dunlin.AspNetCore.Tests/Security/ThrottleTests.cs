using System.Net;
using System.Net.Http.Json;
using Dunlin.Security;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class ThrottleTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");

    private readonly TestClock _clock = new();

    [Fact]
    public void After_the_allowed_failures_each_wait_is_twice_as_long_up_to_the_most()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAccount = 3, FailuresPerAddress = 0, MaxWait = TimeSpan.FromSeconds(6) });
        for (var i = 0; i < 3; i++)
            Assert.Null(throttle.Begin("alice", Here));
        foreach (var seconds in new[] { 1, 2, 4, 6, 6 })
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), throttle.Begin("Alice", Here));
            Assert.Equal(TimeSpan.FromSeconds(seconds), throttle.Begin("ALICE", null)); // asking in between does not lengthen it
            _clock.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Null(throttle.Begin("alice", Here));
        }
        Assert.Null(throttle.Begin("bob", Here));
    }

    [Fact]
    public void A_success_forgives_the_account()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAccount = 2 });
        Assert.Null(throttle.Begin("alice", Here));
        Assert.Null(throttle.Begin("alice", Here));
        throttle.Succeeded("alice", Here);
        Assert.Null(throttle.Begin("alice", Here));
        Assert.Null(throttle.Begin("alice", Here));
        Assert.NotNull(throttle.Begin("alice", Here));
    }

    [Fact]
    public void An_address_is_slowed_over_all_accounts_and_an_account_of_its_own_does_not_free_it()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAddress = 3 });
        foreach (var name in new[] { "a", "b", "c" })
            Assert.Null(throttle.Begin(name, Here));
        Assert.NotNull(throttle.Begin("d", Here));
        Assert.Null(throttle.Begin("d", IPAddress.Parse("192.0.2.2")));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(throttle.Begin("mallory", Here));
        throttle.Succeeded("mallory", Here);
        Assert.NotNull(throttle.Begin("e", Here));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void A_network_of_one_customer_counts_as_one_address(string first, string second, bool same)
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAddress = 1 });
        Assert.Null(throttle.Begin("a", IPAddress.Parse(first)));
        Assert.Equal(same, throttle.Begin("b", IPAddress.Parse(second)) is not null);
    }

    [Fact]
    public void A_quiet_while_forgets_all()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAccount = 1 });
        Assert.Null(throttle.Begin("alice", Here));
        for (var i = 0; i < 4; i++)
        {
            _clock.Advance(throttle.Begin("alice", Here)!.Value);
            Assert.Null(throttle.Begin("alice", Here));
        }
        _clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Null(throttle.Begin("alice", Here));
        Assert.Equal(TimeSpan.FromSeconds(1), throttle.Begin("alice", Here));
    }

    [Fact]
    public void A_flood_of_names_takes_bounded_memory_and_the_oldest_gives_way()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAccount = 1, FailuresPerAddress = 0, MaxWait = TimeSpan.FromHours(1) });
        for (var i = 0; i <= SignInThrottle.MaxEntries; i++)
            Assert.Null(throttle.Begin($"user{i}", Here));
        Assert.NotNull(throttle.Begin($"user{SignInThrottle.MaxEntries}", Here));
        Assert.NotNull(throttle.Begin("user1", Here));
        Assert.Null(throttle.Begin("user0", Here));
    }

    [Fact]
    public async Task Guesses_made_at_once_are_not_all_let_through()
    {
        var throttle = Throttle(new AccountOptions { FailuresPerAccount = 5, FailuresPerAddress = 0 });
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => throttle.Begin("alice", Here))));
        Assert.Equal(5, results.Count(wait => wait is null));
    }

    [Fact]
    public async Task Over_http_the_wait_is_told_and_the_right_password_does_not_skip_it()
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

    private SignInThrottle Throttle(AccountOptions options) => new(Options.Create(options), _clock);
}
