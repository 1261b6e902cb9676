using Dunlin.Backplane;
using Dunlin.Core.Tests.Fanout;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Jobs;

/// <summary>Who hears of a job when. Time does not move here: what happens, happens because somebody was told.</summary>
public sealed class JobHearingTests : IAsyncDisposable
{
    private const string Type = "work";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly InProcessBackplane _backplane = new();
    private readonly List<JobWorker> _nodes = [];
    private readonly TestNode _first;
    private readonly CommitFeed _secondFeed = new();
    private readonly EventFanout _second;

    public JobHearingTests()
    {
        _first = new TestNode(backplane: _backplane);
        // Another node over the same store: it hears what the first commits from the backplane alone.
        _second = new EventFanout(
            _first.Store,
            _secondFeed,
            _backplane,
            _first.Wheel,
            _first.Time,
            Options.Create(new FanoutOptions()),
            new FanoutInstruments(new TestMeters()),
            NullLogger<EventFanout>.Instance
        );
        _second.Begin();
    }

    private IStore Store => _first.Store;

    [Fact]
    public async Task A_job_that_one_node_commits_is_run_by_another_at_once()
    {
        var ran = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(_secondFeed, _second, run => Task.FromResult(ran.TrySetResult(run.Job.Id)));
        var job = await EnqueueAsync();
        Assert.Equal(job.Id, await ran.Task.WaitAsync(Patience, TimeProvider.System));
    }

    [Fact]
    public async Task What_a_node_gives_back_when_it_stops_is_run_by_another_at_once()
    {
        var (began, ran) = (
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        var stopping = await StartAsync(
            _first.Feed,
            _first.Fanout,
            async (_, ct) =>
            {
                began.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, _first.Time, ct);
            }
        );
        await EnqueueAsync();
        await began.Task.WaitAsync(Patience, TimeProvider.System);
        await StartAsync(_secondFeed, _second, run => Task.FromResult(ran.TrySetResult(run.Job.Attempt)));
        await stopping.StopAsync(default);
        Assert.Equal(1, await ran.Task.WaitAsync(Patience, TimeProvider.System));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_process_that_was_killed_had_claimed_is_begun_anew_at_the_next_start_if_no_other_process_can_have_it(
        bool isAlone
    )
    {
        var (began, end, refused) = (
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        // Nothing ends it, as nothing ended the process that was killed: it is only later than all that follows.
        await StartAsync(
            _first.Feed,
            _first.Fanout,
            async (run, _) =>
            {
                began.TrySetResult();
                await end.Task;
                refused.TrySetResult(await Record.ExceptionAsync(async () => await run.CompleteAsync()));
            }
        );
        var job = await EnqueueAsync();
        await began.Task.WaitAsync(Patience, TimeProvider.System);
        var attempts = new List<int>();
        var next = await StartAsync(
            _secondFeed,
            _second,
            run =>
            {
                attempts.Add(run.Job.Attempt);
                return Task.CompletedTask;
            },
            isAlone
        );
        await next.WhenIdleAsync().WaitAsync(Patience, TimeProvider.System);
        Assert.Equal(isAlone ? [2] : [], attempts);
        var now = await Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync(Type, job.Id, ct));
        Assert.Equal(isAlone ? JobState.Done : JobState.Running, now!.State);
        end.SetResult();
        // And if it was not dead after all, the fence keeps it out.
        Assert.Equal(
            isAlone,
            await refused.Task.WaitAsync(Patience, TimeProvider.System) is DunlinException lost && lost.Code == ErrorCode.LeaseLost
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.StopAsync(default);
        _first.Dispose();
    }

    private Task<JobWorker> StartAsync(CommitFeed feed, EventFanout fanout, Func<JobRun<int>, Task> run, bool isAlone = false) =>
        StartAsync(feed, fanout, (attempt, _) => run(attempt), isAlone);

    private async Task<JobWorker> StartAsync(
        CommitFeed feed,
        EventFanout fanout,
        Func<JobRun<int>, CancellationToken, Task> run,
        bool isAlone = false
    )
    {
        var node = new JobWorker(
            Store,
            _first.Store,
            feed,
            new StoreClock(_first.Time),
            [JobType.Of(Type, new Handler(run))],
            new JobInstruments(new TestMeters()),
            NullLogger<JobWorker>.Instance,
            fanout,
            isAlone
        );
        _nodes.Add(node);
        await node.StartAsync(default);
        if (!isAlone)
            await node.WhenIdleAsync().WaitAsync(Patience, TimeProvider.System);
        return node;
    }

    private ValueTask<JobInfo> EnqueueAsync() => Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(Type, 1, cancellationToken: ct));

    private sealed class Handler(Func<JobRun<int>, CancellationToken, Task> run) : IJobHandler<int>
    {
        public async ValueTask RunAsync(JobRun<int> attempt, CancellationToken cancellationToken) => await run(attempt, cancellationToken);
    }
}
