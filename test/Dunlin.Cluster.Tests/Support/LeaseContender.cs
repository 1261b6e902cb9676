using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>
/// The time in which a holder may act on one grant. It starts with the answer and ends with the release, or the lease duration after the
/// request at the latest.
/// </summary>
internal sealed record Hold(string Worker, long Fence, TimeSpan From, TimeSpan To);

/// <summary>Acquires and releases one lease repeatedly.</summary>
internal sealed class LeaseContender(HttpClient client, string name, ConcurrentBag<Hold> holds)
{
    public const string Resource = "/dunlin/v1/leases/warranty/1/1/remarks";

    private const int Seconds = 3;

    private static readonly long Start = TimeProvider.System.GetTimestamp();

    public async Task RunAsync(Random random, CancellationToken stop)
    {
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            try
            {
                await TryHoldAsync($"lease-of-{name}-{round:00000}", random);
            }
            catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException)
            {
                // The outcome is unknown. If it was granted, nobody acts on it, and it expires.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5, 60)), TimeProvider.System, CancellationToken.None);
        }
    }

    private static TimeSpan Now => TimeProvider.System.GetElapsedTime(Start);

    private async Task TryHoldAsync(string leaseId, Random random)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        var asked = Now;
        using var answer = await client.PutAsJsonAsync(Resource, new { leaseId, seconds = Seconds }, limit.Token);
        if (answer.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK))
        {
            // Held by another, rate limited, or a node or the database is unavailable. Any other answer would silently end the contention.
            Assert.True(
                answer.StatusCode is HttpStatusCode.Locked or HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests
                    || (int)answer.StatusCode >= 500,
                $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(limit.Token)}"
            );
            return;
        }
        var fence = (await answer.Content.ReadFromJsonAsync<JsonElement>(limit.Token)).GetProperty("fence").GetInt64();
        var (from, end) = (Now, asked + TimeSpan.FromSeconds(Seconds));
        // Sometimes keep the lease until it expires, as a crashed holder does.
        var isKept = random.Next(12) == 0;
        await Task.Delay(
            TimeSpan.FromMilliseconds(isKept ? 1_000 * Seconds : random.Next(0, 150)),
            TimeProvider.System,
            CancellationToken.None
        );
        var until = Now < end ? Now : end;
        if (until > from)
            holds.Add(new Hold(name, fence, from, until));
        if (isKept)
            return;
        using var release = new HttpRequestMessage(HttpMethod.Delete, Resource) { Headers = { { "Dunlin-Lease", leaseId } } };
        using var released = await client.SendAsync(release, limit.Token);
    }

    /// <summary>Returns pairs of holds that overlap, or whose tokens are in the wrong order.</summary>
    public static IReadOnlyList<string> Conflicts(IEnumerable<Hold> holds)
    {
        var byTime = holds.OrderBy(hold => hold.From).ToList();
        return
        [
            .. byTime
                .Zip(byTime.Skip(1))
                .Where(pair => pair.First.To > pair.Second.From || pair.First.Fence >= pair.Second.Fence)
                .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.First} and {pair.Second}")),
        ];
    }
}
