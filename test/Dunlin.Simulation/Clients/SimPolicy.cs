using Dunlin.Diagnostics;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Nodes;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>The access policy of the application: it reads a table, which takes time and may fail.</summary>
internal sealed class SimPolicy(SimNode node) : IAccessPolicy, IPatternAccessPolicy
{
    public async ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken)
    {
        await CrossAsync();
        var mayRead = !IsChecked || node.Cluster.Database.Rights.MayRead(caller.UserId, topic.Value);
        await CrossAsync();
        return mayRead;
    }

    public async ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken)
    {
        await CrossAsync();
        return !IsChecked || node.Cluster.Database.Rights.MayReadAll(caller.UserId);
    }

    private bool IsChecked => node.Cluster.Sabotage != Sabotage.RightsAreCached;

    private async Task CrossAsync()
    {
        var isCut = node.World.Chance(node.Cluster.Faults.StoreCut);
        await node.DelayAsync();
        if (isCut || node.IsPartitioned)
            throw new DunlinException(ErrorCode.StoreUnavailable, "Simulated: the rights cannot be read.");
    }
}
