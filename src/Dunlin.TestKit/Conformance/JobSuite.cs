using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.TestKit.Conformance;

/// <summary>Provides the job suites with nodes on one store, and with jobs whose completions can be counted.</summary>
public abstract class JobSuite : ConformanceSuite
{
    /// <summary>The type of the jobs.</summary>
    protected const string Type = "test.work";

    private static readonly TopicName Effects = TopicName.Parse("effects");

    /// <summary>Gets the job options of the test. Nodes do not watch each other, unless a test sets the time-out.</summary>
    protected JobOptions Options { get; } = new() { LeaseDuration = TimeSpan.FromSeconds(3), NodeTimeout = TimeSpan.Zero };

    /// <summary>Starts a node whose jobs run <paramref name="run"/>.</summary>
    /// <param name="run">Runs a job.</param>
    /// <param name="store">The store as the node sees it. Null for the store of the test.</param>
    /// <param name="onFailed">Runs in the unit of work of each failure. Null for none.</param>
    /// <param name="feed">The feed that announces commits to the node. Null for that of the store.</param>
    /// <param name="clock">The clock of the node. Null for that of the store.</param>
    private protected async Task<RunningNode> StartAsync(
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

    /// <summary>Enqueues a job in a separate unit of work.</summary>
    /// <param name="value">The value of the job.</param>
    /// <param name="request">The options of the job. Null for the defaults.</param>
    protected ValueTask<JobInfo> EnqueueAsync(int value = 0, JobRequest? request = null) =>
        Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(Type, value, request, ct), Cancellation);

    /// <summary>Returns a job as stored, or null.</summary>
    /// <param name="id">The id of the job.</param>
    protected ValueTask<JobInfo?> FindAsync(string id) =>
        Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync(Type, id, ct), Cancellation);

    /// <summary>Returns an existing job as stored.</summary>
    /// <param name="id">The id of the job.</param>
    /// <exception cref="InvalidOperationException">The job does not exist.</exception>
    protected async ValueTask<JobInfo> GetAsync(string id) => await FindAsync(id) ?? throw new InvalidOperationException($"No job {id}.");

    /// <summary>Completes a job together with an event, so that its completions can be counted.</summary>
    /// <param name="run">The run.</param>
    protected static ValueTask CompleteAsync(JobRun<int> run) => run.CompleteAsync(EffectOf(run));

    /// <summary>Returns the work that appends the event of a job.</summary>
    /// <param name="run">The run.</param>
    protected static Func<IUnitOfWork, CancellationToken, ValueTask> EffectOf(JobRun<int> run) =>
        async (unit, ct) => await unit.AppendAsync(EventDraft.Of(Effects, "effect", run.Job.Id), ct);

    /// <summary>Returns the ids of the completed jobs, once for each completion.</summary>
    protected async Task<List<string>> EffectsAsync() =>
        [.. (await ReadAllAsync(0, Effects.Value)).Select(e => System.Text.Json.JsonSerializer.Deserialize<string>(e.Data.Span)!)];

    /// <summary>Advances time in steps of a second, and waits after each step until the nodes are idle.</summary>
    /// <param name="by">The duration.</param>
    /// <param name="nodes">The nodes.</param>
    protected async Task AdvanceAsync(TimeSpan by, params RunningNode[] nodes)
    {
        for (var left = by; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            Time.Advance(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            foreach (var node in nodes)
                await node.IdleAsync();
        }
    }

    /// <summary>Advances time in steps of a second while a node runs jobs. Waits after each step until it has shown that it lives, and
    /// until the other node is idle.</summary>
    /// <param name="by">The duration.</param>
    /// <param name="busy">The node that runs jobs.</param>
    /// <param name="other">The other node. Null for none.</param>
    private protected async Task AdvanceBusyAsync(TimeSpan by, RunningNode busy, RunningNode? other = null)
    {
        for (var left = by; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await busy.RoundAsync();
            if (other is not null)
                await other.IdleAsync();
        }
    }

    /// <summary>Represents a running node, which disposal stops.</summary>
    protected sealed class RunningNode : IAsyncDisposable
    {
        private readonly JobWorker _node;

        internal RunningNode(JobWorker node) => _node = node;

        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        /// <summary>Returns a task that completes when the node runs no job and no job is due.</summary>
        public Task IdleAsync() => _node.WhenIdleAsync().WaitAsync(Patience);

        /// <summary>Returns a task that completes when the node has shown that it lives. It may run jobs.</summary>
        internal Task RoundAsync() => _node.WhenRoundIsDoneAsync().WaitAsync(Patience);

        /// <summary>Stops the node.</summary>
        public Task StopAsync() => _node.StopAsync(CancellationToken.None).WaitAsync(Patience);

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
