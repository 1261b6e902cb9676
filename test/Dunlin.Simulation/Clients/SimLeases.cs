using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Nodes;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>A user who holds leases and writes under them: from requests with a claim, and from code of a node with a handle.</summary>
internal sealed class SimLeases(SimCluster cluster, string name, Caller caller, IReadOnlyList<ResourceName> resources)
{
    private static readonly TopicName Topic = TopicName.Of("t", "b");

    private int _requests;

    /// <summary>Requests leases as a page does: acquire or preempt, write, renew, then release, hand off, or leave it to expire.</summary>
    public async Task RunClaimsAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            await PauseAsync(4);
            var resource = resources[cluster.World.Random.Next(resources.Count)];
            var request = new LeaseRequest(
                resource,
                $"{name.Replace(' ', '-')}-lease-{++_requests:D6}",
                LeaseRequest.OwnerOf(caller),
                LeaseDuration.FromSeconds(cluster.World.Random.Next(1, 9)),
                Wait: cluster.World.Chance(0.6)
            );
            if (await AcquireAsync(request) is not { } claim)
                continue;
            cluster.Ledger.OnGranted(resource.Value, claim.FencingToken!.Value.Number, claim.LeaseId);
            for (var step = cluster.World.Random.Next(4); step > 0; step--)
            {
                await PauseAsync(5);
                if (cluster.World.Chance(0.5))
                    await TryAsync((node, _) => node.Get<LeaseService>().RenewAsync(claim).AsTask());
                else
                    await TryAsync((node, _) => WriteAsync(node, claim));
            }
            await EndAsync(claim);
        }
    }

    /// <summary>Holds leases with handles of a node that renew themselves. No two handles may be valid at once.</summary>
    public async Task RunHandlesAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            await PauseAsync(4);
            var resource = ResourceName.Of("handles", $"{cluster.World.Random.Next(2)}");
            await TryAsync((node, _) => HoldAsync(node, resource), limit: TimeSpan.FromSeconds(60));
        }
    }

    private async Task<bool> HoldAsync(SimNode node, ResourceName resource)
    {
        var settings = new LeaseSettings
        {
            Owner = new LeaseOwner($"server:{name}-{node.Name}", "Server"),
            AutoRenew = cluster.World.Chance(0.7),
            LeaseId = $"{name.Replace(' ', '-')}-handle-{++_requests:D6}",
        };
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), cluster.World.Time);
        var lease = await node.Get<ILeases>()
            .AcquireAsync(resource, LeaseDuration.FromSeconds(cluster.World.Random.Next(2, 7)), settings, patience.Token);
        node.Trace($"holds {resource} with token {lease.FencingToken}");
        cluster.Ledger.OnHandle(node, lease);
        for (var step = cluster.World.Random.Next(5); step > 0 && lease.LossReason is null; step--)
        {
            await cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(5)));
            try
            {
                await WriteAsync(node, lease.Claim);
            }
            catch (DunlinException) { }
        }
        cluster.Ledger.OnClosing(lease);
        await lease.DisposeAsync();
        node.Trace($"leaves {resource} with token {lease.FencingToken}: {lease.LossReason}");
        return true;
    }

    private async Task<LeaseClaim?> AcquireAsync(LeaseRequest request)
    {
        var preempts = cluster.World.Chance(0.1);
        var grace = cluster.World.Upto(TimeSpan.FromSeconds(4));
        for (var attempt = 0; attempt < 12; attempt++)
        {
            var result = await TryAsync(
                (node, _) =>
                    preempts
                        ? node.Get<LeaseService>().PreemptAsync(request, "simulated", grace).AsTask()
                        : node.Get<LeaseService>().AcquireAsync(request).AsTask()
            );
            if (result?.Claim is { } claim)
                return claim;
            if (result?.Status == LeaseStatus.Held)
                return null;
            await PauseAsync(3);
        }
        await EndAsync(new LeaseClaim(request.Resource, request.LeaseId, caller.UserId));
        return null;
    }

    private async Task EndAsync(LeaseClaim claim)
    {
        if (cluster.World.Chance(0.2))
            return;
        if (cluster.World.Chance(0.3))
            await TryAsync((node, _) => node.Get<LeaseService>().HandOffAsync(claim).AsTask());
        await TryAsync((node, _) => node.Get<LeaseService>().ReleaseAsync(claim).AsTask());
    }

    private async Task<bool> WriteAsync(SimNode node, LeaseClaim claim)
    {
        await node.Get<IStore>()
            .WriteAsync(
                async (unit, ct) =>
                {
                    if (cluster.Sabotage != Sabotage.StaleWritesPass)
                        await unit.Leases.RequireAsync(claim, ct);
                    var data = $$"""{"resource":"{{claim.Resource.Value}}","token":{{claim.FencingToken!.Value.Number}}}""";
                    await unit.AppendAsync(new EventDraft(Topic, "guarded", Encoding.UTF8.GetBytes(data)), ct);
                }
            );
        return true;
    }

    private async Task<T?> TryAsync<T>(Func<SimNode, CancellationToken, Task<T>> work, TimeSpan? limit = null)
    {
        if (cluster.Pick() is not { } node)
            return default;
        try
        {
            return await node.CallAsync(() => work(node, CancellationToken.None), limit);
        }
        catch (Exception failed) when (failed is DunlinException or RequestLostException or OperationCanceledException)
        {
            cluster.World.Trace.Add(cluster.World.Time, name, $"fails at {node.Name}: {failed.Message}");
            return default;
        }
    }

    private Task PauseAsync(int seconds) => cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(seconds)));
}
