using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of jobs on each back end when a node gives no sign of life: its jobs start again long before
/// their claims expire, and a node that was alive writes nothing for them.</summary>
public abstract class JobNodeConformance : JobSuite
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Creates the suite, with claims that outlast every test.</summary>
    protected JobNodeConformance() => (Options.LeaseDuration, Options.NodeTimeout) = (TimeSpan.FromHours(1), TimeSpan.FromSeconds(3));

    /// <summary>Checks that another node runs the jobs of a killed node within four seconds, and each once.</summary>
    [Fact]
    public async Task Jobs_of_a_node_that_was_cut_off_start_again_within_four_seconds()
    {
        var began = new SemaphoreSlim(0);
        var cut = new CutStore(Store);
        await using var killed = await StartAsync(
            async (_, ct) =>
            {
                began.Release();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            },
            cut
        );
        var ids = new[] { (await EnqueueAsync(1)).Id, (await EnqueueAsync(2)).Id };
        Assert.True(await began.WaitAsync(Patience) && await began.WaitAsync(Patience));
        await using var other = await StartAsync(async (run, _) => await CompleteAsync(run));
        await AdvanceBusyAsync(10 * Second, killed, other);
        Assert.Empty(await EffectsAsync());
        cut.IsCut = true;
        await AdvanceAsync(4 * Second, other);
        Assert.Equal(ids.Order(StringComparer.Ordinal), (await EffectsAsync()).Order(StringComparer.Ordinal));
        foreach (var id in ids)
            Assert.Equal((JobState.Done, 2), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
    }

    /// <summary>Checks that a node that was only suspended completes nothing after another node has started its job.</summary>
    [Fact]
    public async Task G3_A_node_that_was_only_suspended_cannot_complete_a_job_again()
    {
        var (began, go) = (NewSignal(), NewSignal());
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new CutStore(Store);
        await using var suspended = await StartAsync(
            async (run, _) =>
            {
                began.SetResult();
                await go.Task;
                outcome.SetResult(await Record.ExceptionAsync(async () => await CompleteAsync(run)));
            },
            cut
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        var first = await GetAsync(id);
        await using var other = await StartAsync(async (run, _) => await CompleteAsync(run));
        cut.IsCut = true;
        await AdvanceAsync(4 * Second, other);
        var second = await GetAsync(id);
        Assert.Equal((JobState.Done, 2), (second.State, second.Attempt));
        Assert.True(second.Fence > first.Fence);
        cut.IsCut = false;
        go.SetResult();
        Assert.Equal(ErrorCode.LeaseLost, Assert.IsType<DunlinException>(await outcome.Task.WaitAsync(Patience)).Code);
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that rounds count only while the watching node can write: an outage of the database ends no node.</summary>
    [Fact]
    public async Task An_outage_of_the_database_takes_no_job_from_a_node()
    {
        var (began, go) = (NewSignal(), NewSignal());
        var (mine, theirs) = (new CutStore(Store), new CutStore(Store));
        await using var node = await StartAsync(
            async (run, _) =>
            {
                began.SetResult();
                await go.Task;
                await CompleteAsync(run);
            },
            mine
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        await using var other = await StartAsync((_, _) => throw new InvalidOperationException("The node is alive."), theirs);
        await AdvanceBusyAsync(2 * Second, node, other);
        mine.IsCut = theirs.IsCut = true;
        await AdvanceBusyAsync(20 * Second, node, other);
        // The watching node is the first to reach the database again. It forgot the rounds before the outage.
        theirs.IsCut = false;
        await AdvanceBusyAsync(2 * Second, node, other);
        mine.IsCut = false;
        await AdvanceBusyAsync(10 * Second, node, other);
        Assert.Equal((JobState.Running, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
        go.SetResult();
        await node.IdleAsync();
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that a step of the wall clock ends no node.</summary>
    [Fact]
    public async Task A_step_of_the_clock_takes_no_job_from_a_node()
    {
        var (began, go) = (NewSignal(), NewSignal());
        await using var node = await StartAsync(
            async (run, _) =>
            {
                began.SetResult();
                await go.Task;
                await CompleteAsync(run);
            }
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        await using var other = await StartAsync((_, _) => throw new InvalidOperationException("The node is alive."));
        foreach (var step in (TimeSpan[])[TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(-40)])
        {
            await AdvanceBusyAsync(2 * Second, node, other);
            Time.StepWallClock(step);
            await AdvanceBusyAsync(5 * Second, node, other);
        }
        Assert.Equal((JobState.Running, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
        go.SetResult();
        await node.IdleAsync();
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks the cost: one write a second for a node that runs any number of jobs, and none for a node that runs none and knows
    /// no claim.</summary>
    [Fact]
    public async Task Only_a_node_with_claims_writes_and_once_for_all_of_them()
    {
        var (began, go) = (new SemaphoreSlim(0), NewSignal());
        var store = new CutStore(Store);
        await using var node = await StartAsync(
            async (run, _) =>
            {
                began.Release();
                await go.Task;
                await CompleteAsync(run);
            },
            store
        );
        await AdvanceAsync(10 * Second, node);
        Assert.Equal(0, store.Writes);
        for (var i = 0; i < 3; i++)
            await EnqueueAsync(i);
        for (var i = 0; i < 3; i++)
            Assert.True(await began.WaitAsync(Patience));
        // The claims have armed the timer.
        await node.RoundAsync();
        var before = store.Writes;
        await AdvanceBusyAsync(10 * Second, node);
        Assert.Equal(before + 10, store.Writes);
        go.SetResult();
        await node.IdleAsync();
        // One more round may follow, because it was armed while the jobs ran.
        await AdvanceAsync(2 * Second, node);
        var after = store.Writes;
        await AdvanceAsync(10 * Second, node);
        Assert.Equal(after, store.Writes);
    }

    /// <summary>Checks that the other nodes find the claims of a killed node also without a notification of them.</summary>
    [Fact]
    public async Task A_claim_that_no_node_heard_of_is_found_by_the_poll()
    {
        var began = NewSignal();
        var cut = new CutStore(Store);
        var ran = new ConcurrentQueue<int>();
        await using var other = await StartAsync(
            async (run, _) =>
            {
                ran.Enqueue(run.Job.Attempt);
                await CompleteAsync(run);
            },
            feed: new CommitFeed()
        );
        await using var killed = await StartAsync(
            async (_, ct) =>
            {
                began.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            },
            cut
        );
        await EnqueueAsync();
        await began.Task.WaitAsync(Patience);
        cut.IsCut = true;
        await AdvanceAsync(Options.PollInterval + (4 * Second), other);
        Assert.Equal([2], ran);
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
