using System.Globalization;
using Dunlin.Worlds.Tests.Histories;

namespace Dunlin.Worlds.Tests.Load;

/// <summary>
/// Acquires a lease, writes with its token, releases it or lets it expire, and tries to write once more with the old token.
/// </summary>
internal sealed class Holder(History history, string name, IReadOnlyList<Func<Uri>> addresses, Random random, bool writes) : IDisposable
{
    private const int Seconds = 2;

    private readonly ApiPool _apis = new(name, addresses, random);
    private int _writes;

    public async Task RunAsync(CancellationToken stop)
    {
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            var resource = string.Create(CultureInfo.InvariantCulture, $"worlds/{random.Next(2)}");
            await TryHoldAsync(resource, string.Create(CultureInfo.InvariantCulture, $"lease-of-{name}-{round:00000}"));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2, 20)), TimeProvider.System, CancellationToken.None);
        }
    }

    public void Dispose() => _apis.Dispose();

    private async Task TryHoldAsync(string resource, string leaseId)
    {
        var asked = Api.Now;
        var answer = await _apis.SendAsync(HttpMethod.Put, "/dunlin/v1/leases/" + resource, new { leaseId, seconds = Seconds });
        if (answer.Status is not (200 or 201))
        {
            if (answer.Status is 500 or 400 or 401 or 403 or 404)
                history.Fault($"{answer.Status} {answer.Body}");
            return;
        }
        var token = answer.Body.GetProperty("fence").GetInt64();
        history.Add(new Grant(resource, leaseId, token, asked, Api.Now));
        for (var i = random.Next(3); i >= 0; i--)
            await WriteAsync(resource, leaseId, token);
        var isKept = random.Next(8) == 0;
        if (!isKept)
        {
            var released = await _apis.SendAsync(HttpMethod.Delete, "/dunlin/v1/leases/" + resource, null, ("Dunlin-Lease", leaseId));
            if (released.Status == 204)
                history.Add(new Release(resource, token, Api.Now));
        }
        // Late: the lease was released, or another user waits for its end.
        await Task.Delay(
            TimeSpan.FromMilliseconds(isKept ? 1_000 * Seconds : random.Next(30)),
            TimeProvider.System,
            CancellationToken.None
        );
        await WriteAsync(resource, leaseId, token);
    }

    private async Task WriteAsync(string resource, string leaseId, long fence)
    {
        if (!writes)
            return;
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-writes:{_writes++}");
        history.Begin(new GuardedWrite(id, resource, fence, Api.Now));
        var body = new
        {
            id,
            resource,
            leaseId,
            fence,
            user = name,
        };
        var answer = await _apis.SendAsync(HttpMethod.Post, Nodes.NodeProgram.GuardedPath, body);
        var outcome = Api.Conclude(history, id, answer);
        if (outcome is Outcome.Refused or null)
            history.Refuse(id);
    }
}
