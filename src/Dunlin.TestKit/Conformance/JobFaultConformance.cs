using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of jobs on each back end when nodes pause, disappear, stop, or lose replies.</summary>
public abstract class JobFaultConformance : JobSuite
{
    /// <summary>Checks that a worker paused beyond its claim cannot complete a job that another worker has completed.</summary>
    [Fact]
    public async Task G3_A_worker_paused_past_its_claim_cannot_complete_a_completed_job()
    {
        var (began, go) = (NewSignal(), NewSignal());
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new CutStore(Store);
        await using var paused = await StartAsync(
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
        await AdvanceAsync(TimeSpan.FromSeconds(2), other);
        Assert.Equal(first.Fence, (await GetAsync(id)).Fence);
        await AdvanceAsync(TimeSpan.FromSeconds(2), other);
        var second = await GetAsync(id);
        Assert.Equal((JobState.Done, 2), (second.State, second.Attempt));
        Assert.True(second.Fence > first.Fence);
        cut.IsCut = false;
        go.SetResult();
        Assert.Equal(ErrorCode.LeaseLost, Assert.IsType<DunlinException>(await outcome.Task.WaitAsync(Patience)).Code);
        Assert.Equal([id], await EffectsAsync());
        Assert.Equal(second, await GetAsync(id) with { Value = second.Value });
    }

    /// <summary>Checks that a worker paused beyond its claim cannot write while another worker runs the job.</summary>
    [Fact]
    public async Task G3_A_worker_paused_past_its_claim_cannot_write_while_another_runs_it()
    {
        var (began, go) = (NewSignal(), NewSignal());
        var outcome = new TaskCompletionSource<Exception?[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new CutStore(Store);
        await using var paused = await StartAsync(
            async (run, _) =>
            {
                began.SetResult();
                await go.Task;
                outcome.SetResult([
                    await Record.ExceptionAsync(async () => await run.ReportAsync(1)),
                    await Record.ExceptionAsync(async () => await run.WriteAsync(EffectOf(run))),
                    await Record.ExceptionAsync(async () => await CompleteAsync(run)),
                ]);
            },
            cut
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        var (taken, finish) = (NewSignal(), NewSignal());
        await using var other = await StartAsync(
            async (run, _) =>
            {
                taken.SetResult();
                await finish.Task;
                await CompleteAsync(run);
            }
        );
        cut.IsCut = true;
        await AdvanceAsync(TimeSpan.FromSeconds(2), other);
        Time.Advance(TimeSpan.FromSeconds(2));
        await taken.Task.WaitAsync(Patience);
        cut.IsCut = false;
        go.SetResult();
        Assert.All(
            await outcome.Task.WaitAsync(Patience),
            error => Assert.Equal(ErrorCode.LeaseLost, Assert.IsType<DunlinException>(error).Code)
        );
        Assert.Equal(
            (JobState.Running, 2, null),
            ((await GetAsync(id)).State, (await GetAsync(id)).Attempt, (await GetAsync(id)).Progress)
        );
        Assert.Empty(await EffectsAsync());
        finish.SetResult();
        await other.IdleAsync();
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that a live worker keeps its claim by renewal while the job runs.</summary>
    [Fact]
    public async Task A_worker_that_is_alive_keeps_its_claim_for_as_long_as_the_work_takes()
    {
        var (began, go, renewed) = (NewSignal(), NewSignal(), new SemaphoreSlim(0));
        var third = Options.LeaseDuration / 3;
        var probe = new TimerProbe(Time, third);
        await using var node = await StartAsync(
            async (run, ct) =>
            {
                began.SetResult();
                await go.Task.WaitAsync(ct);
                await CompleteAsync(run);
            },
            clock: new StoreClock(probe)
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        await using var other = await StartAsync((_, _) => throw new InvalidOperationException("It is not to be had."));
        var claimed = await GetAsync(id);
        Subject.Feed.Committed.Subscribe(_ => renewed.Release());
        for (var i = 0; i < 10; i++)
        {
            await probe.ArmedAsync().WaitAsync(Patience);
            Time.Advance(third);
            Assert.True(await renewed.WaitAsync(Patience), $"renewal {i + 1} did not come");
            await other.IdleAsync();
        }
        Assert.Equal((claimed.Fence, JobState.Running), ((await GetAsync(id)).Fence, (await GetAsync(id)).State));
        go.SetResult();
        await node.IdleAsync();
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that a job whose workers disappear is dead after its last attempt, and that its failure handler runs.</summary>
    [Fact]
    public async Task A_job_abandoned_on_its_last_attempt_is_dead_and_reported_as_failed()
    {
        Options.MaxAttempts = 1;
        var began = NewSignal();
        var told = new ConcurrentQueue<(JobState, bool)>();
        var cut = new CutStore(Store);
        await using var vanished = await StartAsync(
            async (_, ct) =>
            {
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            },
            cut
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        cut.IsCut = true;
        await using var other = await StartAsync(
            (_, _) => throw new InvalidOperationException("It has had its attempts."),
            onFailed: (failure, _) =>
            {
                told.Enqueue((failure.Job.State, failure.Exception is null));
                return default;
            }
        );
        await AdvanceAsync(TimeSpan.FromSeconds(4), other);
        Assert.Equal((JobState.Dead, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
        Assert.Equal([(JobState.Dead, true)], told);
    }

    /// <summary>Checks that the completion of a job and its writes commit together or not at all.</summary>
    [Fact]
    public async Task G1_Completing_and_what_is_written_with_it_are_one()
    {
        Options.FirstDelay = TimeSpan.FromSeconds(1);
        await using var node = await StartAsync(
            async (run, ct) =>
                await run.CompleteAsync(
                    async (unit, c) =>
                    {
                        await EffectOf(run)(unit, c);
                        if (run.Job.Attempt == 1)
                            throw new InvalidOperationException("on purpose");
                    },
                    ct
                )
        );
        var id = (await EnqueueAsync()).Id;
        await node.IdleAsync();
        Assert.Equal((JobState.Waiting, "on purpose"), ((await GetAsync(id)).State, (await GetAsync(id)).Error));
        Assert.Empty(await EffectsAsync());
        await AdvanceAsync(TimeSpan.FromSeconds(1), node);
        Assert.Equal(JobState.Done, (await GetAsync(id)).State);
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that a completion with a lost reply is not repeated.</summary>
    [Fact]
    public async Task A_completion_whose_reply_is_lost_is_not_done_again()
    {
        var faults = new CommitFaults();
        await using var node = await StartAsync(
            async (run, _) =>
            {
                faults.LoseNextReply();
                await CompleteAsync(run);
            },
            new FaultyStore(Store, faults)
        );
        var id = (await EnqueueAsync()).Id;
        await node.IdleAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(5), node);
        Assert.Equal((JobState.Done, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
        Assert.Equal([id], await EffectsAsync());
    }

    /// <summary>Checks that a stopping node returns its jobs at once without counting the attempt.</summary>
    [Fact]
    public async Task A_stopping_node_returns_its_jobs_at_once_without_counting_the_attempt()
    {
        var began = NewSignal();
        var first = await StartAsync(
            async (_, ct) =>
            {
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            }
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        await first.StopAsync();
        Assert.Equal((JobState.Waiting, 0), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
        await using var second = await StartAsync(async (run, _) => await CompleteAsync(run));
        await second.IdleAsync();
        Assert.Equal((JobState.Done, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
    }

    /// <summary>Checks that a worker cannot complete a job that was replaced while it ran, and that a waiting job can be
    /// cancelled.</summary>
    [Fact]
    public async Task A_replaced_job_refuses_its_old_run_and_a_waiting_job_can_be_cancelled()
    {
        var (began, go) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        var outcomes = new ConcurrentQueue<(int Value, bool IsRefused)>();
        Options.MaxParallel = 1;
        await using var node = await StartAsync(
            async (run, _) =>
            {
                began.Release();
                await go.WaitAsync(Patience);
                var error = await Record.ExceptionAsync(async () => await CompleteAsync(run));
                outcomes.Enqueue((run.Value, error is not null));
            }
        );
        await EnqueueAsync(1, new JobRequest { Id = "replaced" });
        Assert.True(await began.WaitAsync(Patience));
        await EnqueueAsync(2, new JobRequest { Id = "replaced", Replace = true });
        await EnqueueAsync(3, new JobRequest { Id = "cancelled", DueAt = Subject.Clock.Now.AddMinutes(1) });
        go.Release();
        Assert.True(await began.WaitAsync(Patience));
        Assert.True(await Store.WriteAsync((unit, ct) => unit.Jobs().CancelAsync(Type, "cancelled", ct), Cancellation));
        go.Release();
        await AdvanceAsync(TimeSpan.FromSeconds(70), node);
        Assert.Equal([(1, true), (2, false)], outcomes);
        Assert.Null(await FindAsync("cancelled"));
        Assert.Equal(["replaced"], await EffectsAsync());
    }

    /// <summary>Checks that a starting node takes over waiting, delayed and abandoned jobs, and leaves dead jobs alone.</summary>
    [Fact]
    public async Task A_node_finds_at_its_start_what_earlier_nodes_left_in_every_state()
    {
        var began = NewSignal();
        var cut = new CutStore(Store);
        var later = await EnqueueAsync(0, new JobRequest { DueAt = Subject.Clock.Now.AddSeconds(2) });
        await using var vanished = await StartAsync(
            async (run, ct) =>
            {
                if (run.Value == 2)
                    throw new JobFailedException("never", isFinal: true);
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            },
            cut
        );
        var dead = await EnqueueAsync(2);
        var running = await EnqueueAsync(1);
        await began.Task.WaitAsync(Patience);
        while ((await GetAsync(dead.Id)).State != JobState.Dead)
            await Task.Yield();
        cut.IsCut = true;
        var waiting = await EnqueueAsync(3);
        await using var next = await StartAsync(async (run, _) => await CompleteAsync(run));
        await next.IdleAsync();
        Assert.Equal([waiting.Id], await EffectsAsync());
        await AdvanceAsync(TimeSpan.FromSeconds(4), next);
        Assert.Equal(
            new[] { waiting.Id, later.Id, running.Id }.Order(StringComparer.Ordinal),
            (await EffectsAsync()).Order(StringComparer.Ordinal)
        );
        Assert.Equal(JobState.Dead, (await GetAsync(dead.Id)).State);
    }

    /// <summary>Checks that a node without commit notifications finds jobs of other nodes by polling the journal.</summary>
    [Fact]
    public async Task A_node_that_hears_of_no_commit_finds_the_jobs_of_others_in_the_journal()
    {
        await using var node = await StartAsync(async (run, _) => await CompleteAsync(run), feed: new CommitFeed());
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add((await EnqueueAsync(i)).Id);
            await AdvanceAsync(Options.PollInterval, node);
            Assert.Equal(ids, await EffectsAsync());
        }
    }

    /// <summary>Checks that a node whose journal position was trimmed reads all jobs again.</summary>
    [Fact]
    public async Task A_node_whose_journal_position_was_trimmed_reads_all_jobs_again()
    {
        await using var node = await StartAsync(async (run, _) => await CompleteAsync(run), feed: new CommitFeed());
        var id = (await EnqueueAsync()).Id;
        await AppendAsync("other");
        Retention.Default.MaxCount = 0;
        await Journal.TrimAsync(Cancellation);
        await AdvanceAsync(Options.PollInterval, node);
        Assert.Equal(JobState.Done, (await GetAsync(id)).State);
    }

    /// <summary>Checks that a run beyond its limit is cancelled and counts as failed.</summary>
    [Fact]
    public async Task A_run_that_takes_too_long_is_ended_and_counts_as_failed()
    {
        (Options.RunLimit, Options.MaxAttempts) = (TimeSpan.FromSeconds(2), 1);
        var (began, ended) = (NewSignal(), NewSignal());
        await using var node = await StartAsync(
            async (_, ct) =>
            {
                began.SetResult();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                }
                finally
                {
                    ended.SetResult();
                }
            }
        );
        var id = (await EnqueueAsync()).Id;
        await began.Task.WaitAsync(Patience);
        Time.Advance(TimeSpan.FromSeconds(2));
        await ended.Task.WaitAsync(Patience);
        await node.IdleAsync();
        Assert.Equal(JobState.Dead, (await GetAsync(id)).State);
        Assert.Contains("longer", (await GetAsync(id)).Error, StringComparison.Ordinal);
    }

    /// <summary>Checks that each job is completed once or dead after random partitions, restarts and failures.</summary>
    [Fact]
    public async Task Whatever_happens_to_the_nodes_each_job_is_completed_once_or_dead()
    {
        var random = TestSeed.NewRandom(out var seed);
        (Options.FirstDelay, Options.MaxDelay, Options.MaxAttempts) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 6);
        async Task WorkAsync(JobRun<int> run)
        {
            await Task.Yield();
            if (new Random(HashCode.Combine(seed, run.Value, run.Job.Attempt)).Next(4) == 0)
                throw new InvalidOperationException("by chance");
            await CompleteAsync(run);
        }
        var stores = Enumerable.Range(0, 3).Select(_ => new CutStore(Store)).ToArray();
        var nodes = new RunningNode[3];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = await StartAsync((run, _) => WorkAsync(run), stores[i]);
        var ids = new List<string>();
        for (var step = 0; step < 80; step++)
        {
            var (n, what) = (random.Next(nodes.Length), random.Next(10));
            if (what < 5)
                ids.Add((await EnqueueAsync(step)).Id);
            else if (what < 7)
                stores[n].IsCut = !stores[n].IsCut;
            else if (what < 9)
                Time.Advance(TimeSpan.FromSeconds(1));
            else if (!stores[n].IsCut)
            {
                await nodes[n].StopAsync();
                nodes[n] = await StartAsync((run, _) => WorkAsync(run), stores[n]);
            }
        }
        foreach (var store in stores)
            store.IsCut = false;
        await AdvanceAsync(TimeSpan.FromSeconds(60), nodes);
        var effects = await EffectsAsync();
        Assert.Equal(effects.Distinct(StringComparer.Ordinal), effects);
        foreach (var id in ids)
            Assert.Equal(effects.Contains(id) ? JobState.Done : JobState.Dead, (await GetAsync(id)).State);
        foreach (var node in nodes)
            await node.StopAsync();
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
