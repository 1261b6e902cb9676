using System.Net.Http.Json;
using Dunlin.AspNetCore.Tests;
using Dunlin.Diagnostics;

namespace Dunlin.Identity.Tests;

/// <summary>Lockout as an attacker observes it over HTTP.</summary>
public sealed class LockoutTests
{
    [Fact]
    public async Task A_locked_account_answers_like_an_unknown_name()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = Options });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var answers = new List<List<string>>();
        foreach (var name in new[] { "alice", "nobody" })
        {
            var answered = new List<string>();
            foreach (var step in new[] { 0, 0, 0, 0, 1, 0, 1, 1, 0, 3, 4, 1000 })
            {
                host.Clock.Advance(TimeSpan.FromSeconds(step));
                // During lockout the right password gets the same answer as a wrong one, because it is not checked.
                answered.Add(await AnswerAsync(client, name, answered.Count is 3 or 5 ? TestHost.Password : "wrong"));
            }
            answers.Add(answered);
        }
        Assert.Equal(answers[0], answers[1]);
        Assert.StartsWith("401 ", answers[0][0], StringComparison.Ordinal);
        Assert.StartsWith("429 Retry-After: 1 ", answers[0][3], StringComparison.Ordinal);
        Assert.StartsWith("429 Retry-After: 2 ", answers[0][5], StringComparison.Ordinal);
        Assert.StartsWith("401 ", answers[0][^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("nobody")]
    public async Task Of_concurrent_guesses_only_the_allowed_ones_are_checked(string name)
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = Options });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => AnswerAsync(client, name, "wrong")));
        Assert.Equal(3, answers.Count(answer => answer.StartsWith("401 ", StringComparison.Ordinal)));
        Assert.Equal(57, answers.Count(answer => answer.StartsWith("429 Retry-After: 1 ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_attacker_cannot_extend_the_owners_wait_beyond_the_maximum()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = Options });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        for (var i = 0; i < 200; i++)
        {
            await AnswerAsync(client, "alice", "wrong");
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.SignInAsync(client, "alice");
        await host.SignInAsync(client, "alice");
    }

    [Fact]
    public async Task A_store_outage_is_503_and_counts_as_no_failure()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = accounts => accounts.FailuresPerAddress = 2 });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        host.AccountStore.Fault = new DunlinException(ErrorCode.StoreUnavailable);
        foreach (var name in new[] { "alice", "nobody", "alice", "nobody", "alice", "alice", "alice" })
            Assert.StartsWith("503 ", await AnswerAsync(client, name, TestHost.Password), StringComparison.Ordinal);
        host.AccountStore.Fault = null;
        await host.SignInAsync(client, "alice");
    }

    [Fact]
    public async Task An_address_is_throttled_over_names_without_locking_accounts()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Accounts = accounts => accounts.FailuresPerAddress = 4 });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        for (var i = 0; i < 4; i++)
            Assert.StartsWith("401 ", await AnswerAsync(client, $"name{i}", "wrong"), StringComparison.Ordinal);
        for (var i = 0; i < 20; i++)
            Assert.StartsWith("429 Retry-After: 1 ", await AnswerAsync(client, "alice", "wrong"), StringComparison.Ordinal);
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        await host.SignInAsync(client, "alice");
    }

    [Fact]
    public async Task Excess_hash_requests_are_refused_and_queued_ones_run()
    {
        using var slots = new HashingSlots();
        var running = new Stack<IDisposable>();
        for (var i = 0; i < Math.Max(1, Environment.ProcessorCount / 2); i++)
            running.Push(await slots.EnterAsync(default));
        var waiting = Enumerable.Range(0, HashingSlots.MaxWaiting).Select(_ => slots.EnterAsync(default).AsTask()).ToList();
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await slots.EnterAsync(default));
        Assert.Equal((ErrorCode.TooManyRequests, TimeSpan.FromSeconds(1)), (refused.Code, refused.RetryAfter));
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        foreach (var task in waiting)
        {
            running.Pop().Dispose();
            running.Push(await task);
        }
        while (running.TryPop(out var slot))
            slot.Dispose();
        (await slots.EnterAsync(default)).Dispose();
    }

    private static void Options(AccountOptions accounts) => (accounts.FailuresPerAccount, accounts.FailuresPerAddress) = (3, 0);

    /// <summary>Returns all parts of an answer that could differ.</summary>
    private static async Task<string> AnswerAsync(HttpClient client, string username, string password)
    {
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username, password });
        var text = await response.Content.ReadAsStringAsync();
        var trace = text.IndexOf("\"traceId\"", StringComparison.Ordinal);
        var headers = response
            .Headers.Concat(response.Content.Headers)
            .Where(h => h.Key is not "Date" and not "Content-Length" and not "Server")
            .OrderBy(h => h.Key == "Retry-After" ? "" : h.Key, StringComparer.Ordinal)
            .Select(h => $"{h.Key}: {string.Join(',', h.Value)}");
        return $"{(int)response.StatusCode} {string.Join(' ', headers)} {(trace < 0 ? text : text[..trace])}";
    }
}
