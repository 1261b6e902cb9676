using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.TestKit.Conformance;

/// <summary>What the suites of jobs share: nodes on one store, and jobs that leave an effect.</summary>
public abstract class JobSuite : ConformanceSuite
{
    /// <summary>The type of the jobs.</summary>
    protected const string Type = "test.work";

    private static readonly TopicName Effects = TopicName.Parse("effects");

    /// <summary>Options of this test.</summary>
    protected JobOptions Options { get; } = new() { LeaseDuration = TimeSpan.FromSeconds(3) };

    /// <summary>Starts a node whose jobs are done by <paramref name="run"/>.</summary>
    /// <param name="run">Does a job.</param>
    /// <param name="store">What the node sees of the store; null for the store itself.</param>
    /// <param name="onFailed">Called in the unit of work of each failure.</param>
    /// <param name="feed">What the node hears commits by; null for that of the store.</param>
    /// <param name="clock">The clock of the node; null for that of the store.</param>
    protected async Task<RunningNode> StartAsync(
        Func<JobRun<int>, CancellationToken, Task> run,
        IStore? store = null,
        Func<JobFailure<int>, CancellationToken, ValueTask>? onFailed = null,
        CommitFeed? feed = null,
        StoreClock? clock = null
    )
    {
        var type = JobType.Of(Type, new Handler(run, onFailed ?? (static (_, _) => default)), Options);
        var node = new JobWorker(
            store ?? Store,
            Journal,
            feed ?? Subject.Feed,
            clock ?? Subject.Clock,
            [type],
            new JobInstruments(new TestMeters()),
            NullLogger<JobWorker>.Instance
        );
        await node.StartAsync(Cancellation);
        await node.WhenIdleAsync();
        return new RunningNode(node);
    }

    /// <summary>Enqueues a job in a unit of work of its own.</summary>
    protected ValueTask<JobInfo> EnqueueAsync(int value = 0, JobRequest? request = null) =>
        Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(Type, value, request, ct), Cancellation);

    /// <summary>One job as the store has it.</summary>
    protected ValueTask<JobInfo?> FindAsync(string id) =>
        Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync(Type, id, ct), Cancellation);

    /// <summary>One job that is there.</summary>
    protected async ValueTask<JobInfo> GetAsync(string id) => await FindAsync(id) ?? throw new InvalidOperationException($"No job {id}.");

    /// <summary>Completes a job together with an event, so that how often it was completed can be counted.</summary>
    protected static ValueTask CompleteAsync(JobRun<int> run) => run.CompleteAsync(EffectOf(run));

    /// <summary>Appends the event of a job.</summary>
    protected static Func<IUnitOfWork, CancellationToken, ValueTask> EffectOf(JobRun<int> run) =>
        async (unit, ct) => await unit.AppendAsync(EventDraft.Of(Effects, "effect", run.Job.Id), ct);

    /// <summary>The ids of the jobs that were completed, once for each time.</summary>
    protected async Task<List<string>> EffectsAsync() =>
        [.. (await ReadAllAsync(0, Effects.Value)).Select(e => System.Text.Json.JsonSerializer.Deserialize<string>(e.Data.Span)!)];

    /// <summary>Moves time on by a second at a time, and lets the nodes do what is due.</summary>
    protected async Task AdvanceAsync(TimeSpan by, params RunningNode[] nodes)
    {
        for (var left = by; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            Time.Advance(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            foreach (var node in nodes)
                await node.IdleAsync();
        }
    }

    /// <summary>A node that stops with the test.</summary>
    protected sealed class RunningNode(JobWorker node) : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        /// <summary>Completes when it runs nothing and nothing is due.</summary>
        public Task IdleAsync() => node.WhenIdleAsync().WaitAsync(Patience);

        /// <summary>Stops it.</summary>
        public Task StopAsync() => node.StopAsync(CancellationToken.None).WaitAsync(Patience);

        /// <inheritdoc/>
        public async ValueTask DisposeAsync() => await StopAsync();
    }

    private sealed class Handler(
        Func<JobRun<int>, CancellationToken, Task> run,
        Func<JobFailure<int>, CancellationToken, ValueTask> onFailed
    ) : IJobHandler<int>
    {
        public async ValueTask RunAsync(JobRun<int> attempt, CancellationToken cancellationToken) => await run(attempt, cancellationToken);

        public ValueTask OnFailedAsync(JobFailure<int> failure, CancellationToken cancellationToken) =>
            onFailed(failure, cancellationToken);
    }
}
