using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Simulation.Nodes;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>Queues jobs. Each must take effect exactly once, also if the nodes that run it crash.</summary>
internal sealed class SimJobs(SimCluster cluster)
{
    public const string Type = "work";

    public async Task RunAsync(int count)
    {
        for (var number = 0; number < count; number++)
        {
            await cluster.World.DelayAsync(cluster.World.Upto(TimeSpan.FromSeconds(15)));
            await QueueAsync($"job-{number}");
        }
    }

    // A finished job may be queued again under its id, so only a request that has certainly failed is repeated.
    private async Task QueueAsync(string id)
    {
        cluster.Ledger.OnJob(id, isAcknowledged: false);
        while (true)
        {
            if (cluster.Pick() is { } node)
            {
                try
                {
                    await node.CallAsync(() =>
                        node.Get<IStore>()
                            .WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(Type, id, new JobRequest { Id = id }, ct))
                            .AsTask()
                    );
                    cluster.Ledger.OnJob(id, isAcknowledged: true);
                    return;
                }
                catch (RequestLostException)
                {
                    return;
                }
                catch (DunlinException failed) when (failed.Code == ErrorCode.OutcomeUnknown)
                {
                    return;
                }
                catch (DunlinException) { }
            }
            await cluster.World.DelayAsync(TimeSpan.FromSeconds(1));
        }
    }
}

/// <summary>Does the work of a job: slowly, with failures, and with an event that commits together with the end of the job.</summary>
internal sealed class SimJobHandler(SimNode node) : IJobHandler<string>
{
    private static readonly TopicName Topic = TopicName.Of("t", "a");

    public async ValueTask RunAsync(JobRun<string> run, CancellationToken cancellationToken)
    {
        node.Trace($"runs {run.Value}, attempt {run.Job.Attempt}");
        await Task.Delay(node.World.Upto(TimeSpan.FromSeconds(10)), node.World.Time, cancellationToken);
        if (node.World.Chance(0.1))
            throw new InvalidOperationException("Simulated: the work failed.");
        await run.CompleteAsync(
            async (unit, ct) =>
                await unit.AppendAsync(new EventDraft(Topic, "effect", Encoding.UTF8.GetBytes($$"""{"id":"{{run.Value}}"}""")), ct),
            cancellationToken
        );
    }
}
