using System.Net;
using Dunlin.RxDb.TestHost;

namespace Dunlin.RxDb.Tests;

/// <summary>The rate of the rows that one user may push.</summary>
public sealed class PushLimitTests
{
    private const string Push = $"{ShelfApplication.Sync}/push/things";

    [Fact]
    public async Task Rows_over_the_rate_are_refused_as_a_whole_and_accepted_later()
    {
        await using var host = await RxDbHost.StartAsync(configure: options => (options.RowsPerSecond, options.RowBurst) = (10, 20));
        await host.ShelfAsync("s", "ann"); // one row
        Assert.Empty(await host.PushAsync("ann", Rows("a", 15)));
        var (status, body, response) = await host.SendAsync(HttpMethod.Post, Push, RxDbHost.Rows(Rows("b", 10)));
        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_requests", 10), (status, (string?)body!["code"], (int?)body["limit"]));
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Equal(15, (await host.PullAsync())["documents"]!.AsArray().Count);
        await host.ShelfAsync("t", "bob");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await host.PushAsync("ann", Rows("b", 10)));
        Assert.Equal(25, (await host.PullAsync())["documents"]!.AsArray().Count);
    }

    private static (object New, object? Assumed)[] Rows(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (PushTests.Thing($"{prefix}{i}", "text"), (object?)null))];
}
