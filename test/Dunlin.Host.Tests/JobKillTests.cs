using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests;

/// <summary>The queue's guarantees after a crash, with the shipped host: a real process, killed while jobs are in every state.</summary>
public sealed class JobKillTests
{
    private const int Parallel = 3;
    private const string List = "demo-birthday";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task After_kill_9_every_job_ends_once_and_finished_ones_do_not_repeat()
    {
        await using var site = await PageSite.StartAsync();
        await using var host = new HostProcess();
        host.Settings["Dunlin__Fetch__AllowedNetworks__0"] = "127.0.0.1/32";
        host.Settings["Dunlin__Fetch__AllowedPorts__0"] = site.Address.Port.ToString(CultureInfo.InvariantCulture);
        // A missing proxy: a client that reads the environment's proxy settings would fetch nothing.
        host.Settings["http_proxy"] = host.Settings["all_proxy"] = "http://127.0.0.1:1";
        host.Settings["no_proxy"] = "";
        // Long enough that no request of the first process ends before the kill.
        host.Settings["Dunlin__Fetch__TimeLimit"] = "00:05:00";
        // Longer than the test: the next start runs jobs of the killed process again.
        host.Settings["Dunlin__Jobs__LeaseDuration"] = "01:00:00";
        host.Settings["Dunlin__Jobs__FirstDelay"] = "00:00:20";
        host.Settings["Dunlin__Jobs__MaxParallel"] = Parallel.ToString(CultureInfo.InvariantCulture);
        // All jobs belong to one user, whose limit would leave one worker idle.
        host.Settings["Dunlin__Jobs__MaxParallelPerFairnessKey"] = host.Settings["Dunlin__Jobs__MaxParallel"];
        await host.StartAsync();

        string? position;
        List<string> told;
        using (var client = await host.SignInAsync("alice"))
        {
            await using var stream = await StreamAsync(client);
            await AddAsync(client, site, "ok", 2);
            await AddAsync(client, site, "bad", 2);
            await AddAsync(client, site, "flaky", 1);
            await UntilAsync(
                client,
                stream,
                items =>
                    items["ok0"] == "resolved"
                    && items["ok1"] == "resolved"
                    && items["bad0"] == "failed"
                    && items["bad1"] == "failed"
                    && items["flaky0"] == "pending"
                    && site.Requests.ContainsKey("flaky/0")
            );
            await AddAsync(client, site, "slow", Parallel);
            await site.WhenSlowAsync(Parallel);
            await AddAsync(client, site, "queued", 5);
            var before = await ItemsAsync(client);
            Assert.Equal(
                ["failed", "pending", "pending", "resolved", "resolving"],
                new[] { "bad0", "flaky0", "queued0", "ok0", "slow0" }.Select(id => before[id])
            );
            (position, told) = (stream.LastId, stream.Resolved);
        }
        await host.KillAsync();
        site.Go();
        await host.StartAsync();

        using var again = await host.SignInAsync("alice");
        await using var after = await StreamAsync(again, position);
        await UntilAsync(
            again,
            after,
            items => items.All(item => item.Value == (item.Key.StartsWith("bad", StringComparison.Ordinal) ? "failed" : "resolved"))
        );
        foreach (var (id, title) in await TitlesAsync(again))
            Assert.Equal(id.StartsWith("bad", StringComparison.Ordinal) ? "127.0.0.1" : $"{id[..^1]} {id[^1]}", title);
        // Finished and dead jobs do not run again; running and queued jobs run once more.
        Assert.All(new[] { "ok/0", "ok/1", "bad/0", "bad/1", "queued/0", "queued/4" }, page => Assert.Equal(1, site.Requests[page]));
        Assert.All(new[] { "slow/0", "slow/1", "slow/2", "flaky/0" }, page => Assert.Equal(2, site.Requests[page]));
        // Each outcome is announced once, also to a reader that the crash disconnected.
        await after.ThroughAsync(13 - told.Count).WaitAsync(Patience);
        Assert.Equal(
            ["bad0", "bad1", "flaky0", "ok0", "ok1", "queued0", "queued1", "queued2", "queued3", "queued4", "slow0", "slow1", "slow2"],
            told.Concat(after.Resolved).Order(StringComparer.Ordinal)
        );

        // A dead job can still be retried.
        site.IsBad = false;
        (await again.PostAsync("/api/v1/items/bad0/resolve", null)).EnsureSuccessStatusCode();
        await UntilAsync(again, after, items => items["bad0"] == "resolved" && items["bad1"] == "failed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Jobs_of_a_killed_or_suspended_node_end_once_on_another(bool isKilled)
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var site = await PageSite.StartAsync();
        await using var first = Node(site);
        await using var second = Node(site);
        await first.StartAsync("--store", postgres.ConnectionString);
        using (var client = await first.SignInAsync("alice"))
            await AddAsync(client, site, "slow", 2);
        await site.WhenSlowAsync(2);
        await second.StartAsync("--store", postgres.ConnectionString);
        using var other = await second.SignInAsync("alice");
        await using var stream = await StreamAsync(other);
        await (isKilled ? first.KillAsync() : first.PauseAsync());
        // The claims last for an hour, so only the silence of the node gives the jobs to the other one.
        var watch = Stopwatch.StartNew();
        await site.WhenSlowAsync(2);
        TestContext.Current.TestOutputHelper?.WriteLine($"The other node began the jobs again after {watch.Elapsed.TotalSeconds:F1} s.");
        site.Go();
        await stream.ThroughAsync(2).WaitAsync(Patience);
        if (!isKilled)
        {
            await first.ContinueAsync();
            await first.WhenSeenAsync("lost its claim").WaitAsync(Patience);
        }
        Assert.Equal(["slow0", "slow1"], stream.Resolved.Order(StringComparer.Ordinal));
        Assert.All(new[] { "slow/0", "slow/1" }, page => Assert.Equal(2, site.Requests[page]));
        Assert.All(await ItemsAsync(other), item => Assert.Equal("resolved", item.Value));
    }

    private static HostProcess Node(PageSite site)
    {
        var host = new HostProcess();
        host.Settings["Dunlin__Fetch__AllowedNetworks__0"] = "127.0.0.1/32";
        host.Settings["Dunlin__Fetch__AllowedPorts__0"] = site.Address.Port.ToString(CultureInfo.InvariantCulture);
        host.Settings["http_proxy"] = host.Settings["all_proxy"] = "http://127.0.0.1:1";
        host.Settings["no_proxy"] = "";
        host.Settings["Dunlin__Fetch__TimeLimit"] = "00:05:00";
        host.Settings["Dunlin__Jobs__LeaseDuration"] = "01:00:00";
        return host;
    }

    private static async Task AddAsync(HttpClient client, PageSite site, string kind, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var answer = await client.PostAsJsonAsync(
                $"/api/v1/wishlists/{List}/items",
                new { id = $"{kind}{i}", source_url = $"{site.Address}{kind}/{i}" }
            );
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Checks again after each event instead of polling.</summary>
    private static async Task UntilAsync(HttpClient client, ResolvedStream stream, Func<IReadOnlyDictionary<string, string>, bool> reached)
    {
        while (true)
        {
            var items = await ItemsAsync(client);
            if (reached(items))
                return;
            try
            {
                await stream.NextAsync().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                Assert.Fail("nothing further happened: " + string.Join(", ", items.Select(i => $"{i.Key} {i.Value}")));
            }
        }
    }

    private static async Task<IReadOnlyDictionary<string, string>> ItemsAsync(HttpClient client) =>
        (await AllAsync(client)).ToDictionary(
            i => i.GetProperty("id").GetString()!,
            i => i.GetProperty("status").GetString()!,
            StringComparer.Ordinal
        );

    private static async Task<IEnumerable<(string Id, string Title)>> TitlesAsync(HttpClient client) =>
        (await AllAsync(client)).Select(i => (i.GetProperty("id").GetString()!, i.GetProperty("title").GetString()!));

    private static async Task<IEnumerable<JsonElement>> AllAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>($"/api/v1/wishlists/{List}/items"))
            .EnumerateArray()
            .Where(i => !i.GetProperty("id").GetString()!.StartsWith("demo-", StringComparison.Ordinal));

    private static async Task<ResolvedStream> StreamAsync(HttpClient client, string? after = null)
    {
        var response = await client.GetAsync("/api/v1/events/stream?lastEventId=" + after, HttpCompletionOption.ResponseHeadersRead);
        var ending = new CancellationTokenSource();
        return new ResolvedStream(
            response,
            SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(ending.Token).GetAsyncEnumerator(),
            ending
        );
    }

    private sealed class ResolvedStream(
        HttpResponseMessage response,
        IAsyncEnumerator<SseItem<string>> events,
        CancellationTokenSource ending
    ) : IAsyncDisposable
    {
        /// <summary>The items with an announced outcome.</summary>
        public List<string> Resolved { get; } = [];

        public string? LastId { get; private set; }

        public async Task ThroughAsync(int outcomes)
        {
            while (Resolved.Count < outcomes)
                await NextAsync();
        }

        public async Task NextAsync()
        {
            Assert.True(await events.MoveNextAsync(), "the stream ended");
            LastId = events.Current.EventId ?? LastId;
            if (events.Current.EventType == "items:resolved")
                Resolved.Add(JsonDocument.Parse(events.Current.Data).RootElement.GetProperty("id").GetString()!);
        }

        public async ValueTask DisposeAsync()
        {
            await ending.CancelAsync();
            await events.DisposeAsync();
            response.Dispose();
            ending.Dispose();
        }
    }
}
