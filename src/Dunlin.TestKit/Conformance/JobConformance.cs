using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of jobs on each back end without faults of nodes.</summary>
public abstract class JobConformance : JobSuite
{
    /// <summary>Checks that a job exists only if its unit of work commits, and then runs at once.</summary>
    [Fact]
    public async Task G1_A_job_exists_only_if_its_unit_of_work_commits_and_then_runs_at_once()
    {
        var ran = new ConcurrentQueue<int>();
        await using var node = await StartAsync(
            (run, _) =>
            {
                ran.Enqueue(run.Value);
                return Task.CompletedTask;
            }
        );
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Store
                .WriteAsync<int>(
                    async (unit, ct) =>
                    {
                        await unit.Jobs().EnqueueAsync(Type, 1, cancellationToken: ct);
                        throw new InvalidOperationException("on purpose");
                    },
                    Cancellation
                )
                .AsTask()
        );
        var job = await EnqueueAsync(2);
        await node.IdleAsync();
        Assert.Equal([2], ran);
        Assert.Equal(
            (JobState.Done, 1, null),
            ((await GetAsync(job.Id)).State, (await GetAsync(job.Id)).Attempt, (await GetAsync(job.Id)).Error)
        );
    }

    /// <summary>Checks that a job with a due time runs at that time and not earlier.</summary>
    [Fact]
    public async Task A_job_that_is_due_later_does_not_run_before_and_does_then()
    {
        var ran = 0;
        await using var node = await StartAsync((_, _) => Task.FromResult(Interlocked.Increment(ref ran)));
        await EnqueueAsync(0, new JobRequest { DueAt = Subject.Clock.Now.AddSeconds(10) });
        await AdvanceAsync(TimeSpan.FromSeconds(9.5), node);
        Assert.Equal(0, ran);
        await AdvanceAsync(TimeSpan.FromSeconds(0.5), node);
        Assert.Equal(1, ran);
    }

    /// <summary>Checks that a failing job is retried after growing delays, then is dead with its error, and runs again after a manual
    /// retry.</summary>
    [Fact]
    public async Task A_failing_job_is_retried_with_backoff_then_dead_until_a_manual_retry()
    {
        Options.MaxAttempts = 4;
        (Options.FirstDelay, Options.MaxDelay) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25));
        var (works, told) = (false, new ConcurrentQueue<(JobState, bool)>());
        await using var node = await StartAsync(
            (run, _) => works ? Task.CompletedTask : throw new FormatException($"boom {run.Job.Attempt}"),
            onFailed: (failure, _) =>
            {
                told.Enqueue((failure.Job.State, failure.IsFinal));
                return default;
            }
        );
        var id = (await EnqueueAsync()).Id;
        foreach (var longest in new[] { 10.0, 20, 25 })
        {
            await node.IdleAsync();
            var job = await GetAsync(id);
            Assert.Equal((JobState.Waiting, $"boom {job.Attempt}"), (job.State, job.Error));
            var pause = job.DueAt - Subject.Clock.Now;
            Assert.InRange(pause.TotalSeconds, longest / 2, longest);
            await AdvanceAsync(pause - TimeSpan.FromMilliseconds(1), node);
            Assert.Equal(job.Attempt, (await GetAsync(id)).Attempt);
            await AdvanceAsync(TimeSpan.FromMilliseconds(1), node);
            Assert.Equal(job.Attempt + 1, (await GetAsync(id)).Attempt);
        }
        Assert.Equal((JobState.Dead, "boom 4"), ((await GetAsync(id)).State, (await GetAsync(id)).Error));
        Assert.Equal([(JobState.Waiting, false), (JobState.Waiting, false), (JobState.Waiting, false), (JobState.Dead, true)], told);
        works = true;
        await Store.WriteAsync((unit, ct) => unit.Jobs().RetryAsync(Type, id, ct), Cancellation);
        await node.IdleAsync();
        Assert.Equal((JobState.Done, 1), ((await GetAsync(id)).State, (await GetAsync(id)).Attempt));
    }

    /// <summary>Checks that a final failure makes a job dead at once, and that only dead jobs can be retried.</summary>
    [Fact]
    public async Task A_final_failure_makes_a_job_dead_and_only_dead_jobs_can_be_retried()
    {
        await using var node = await StartAsync((_, _) => throw new JobFailedException("not a page", isFinal: true));
        var id = (await EnqueueAsync()).Id;
        await node.IdleAsync();
        Assert.Equal(
            (JobState.Dead, "not a page", 1),
            ((await GetAsync(id)).State, (await GetAsync(id)).Error, (await GetAsync(id)).Attempt)
        );
        var waiting = await EnqueueAsync(0, new JobRequest { DueAt = Subject.Clock.Now.AddHours(1) });
        var refused = await Assert.ThrowsAsync<DunlinException>(() =>
            Store.WriteAsync((unit, ct) => unit.Jobs().RetryAsync(Type, waiting.Id, ct), Cancellation).AsTask()
        );
        Assert.Equal(ErrorCode.Conflict, refused.Code);
    }

    /// <summary>Checks that a job is dead if its value does not match the type of its handler.</summary>
    [Fact]
    public async Task What_a_job_carries_must_fit_its_handler_or_it_is_dead()
    {
        await using var node = await StartAsync((_, _) => Task.CompletedTask);
        var job = await Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(Type, "no number", cancellationToken: ct), Cancellation);
        await node.IdleAsync();
        Assert.Equal(JobState.Dead, (await GetAsync(job.Id)).State);
    }

    /// <summary>Checks that two nodes run each job once, and that neither exceeds its parallelism.</summary>
    [Fact]
    public async Task Two_nodes_run_each_job_once_and_neither_exceeds_its_parallelism()
    {
        const int Jobs = 60;
        Options.MaxParallel = 3;
        var (runs, now, most) = (new ConcurrentDictionary<string, int>(StringComparer.Ordinal), new int[2], new int[2]);
        Task Work(int node, JobRun<int> run)
        {
            runs.AddOrUpdate(run.Job.Id, 1, (_, count) => count + 1);
            var parallel = Interlocked.Increment(ref now[node]);
            lock (most)
                most[node] = Math.Max(most[node], parallel);
            return Task.Run(() => Interlocked.Decrement(ref now[node]));
        }
        await using var first = await StartAsync((run, _) => Work(0, run));
        await using var second = await StartAsync((run, _) => Work(1, run));
        for (var i = 0; i < Jobs; i++)
            await EnqueueAsync(i);
        await Task.WhenAll(first.IdleAsync(), second.IdleAsync());
        Assert.Equal(Jobs, runs.Count);
        Assert.All(runs.Values, count => Assert.Equal(1, count));
        Assert.All(most, parallel => Assert.InRange(parallel, 0, 3));
    }

    /// <summary>Checks that parallelism is limited, and that a released slot is used at once.</summary>
    [Fact]
    public async Task Parallelism_is_bounded_and_a_slot_that_is_given_back_is_used_at_once()
    {
        Options.MaxParallel = 2;
        var (started, go) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        var (now, most) = (0, 0);
        await using var node = await StartAsync(
            async (_, ct) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                started.Release();
                await go.WaitAsync(ct);
                Interlocked.Decrement(ref now);
            }
        );
        for (var i = 0; i < 5; i++)
            await EnqueueAsync(i);
        await WaitAsync(started, 2);
        go.Release();
        await WaitAsync(started, 1);
        Assert.Equal(2, most);
        Assert.Equal(2, await CountAsync(JobState.Running));
        go.Release(4);
        await node.IdleAsync();
        Assert.Equal((2, 5), (most, await CountAsync(JobState.Done)));
    }

    /// <summary>Checks that an unfinished job with the same id is not enqueued again, and a finished one is.</summary>
    [Fact]
    public async Task A_job_id_is_enqueued_again_only_after_its_job_has_finished()
    {
        var ran = new ConcurrentQueue<int>();
        await using (
            var node = await StartAsync(
                (run, _) =>
                {
                    ran.Enqueue(run.Value);
                    return Task.CompletedTask;
                }
            )
        )
        {
            var later = new JobRequest { Id = "one", DueAt = Subject.Clock.Now.AddSeconds(2) };
            await EnqueueAsync(1, later);
            Assert.Equal(1, (await EnqueueAsync(2, later)).Value.GetInt32());
            await AdvanceAsync(TimeSpan.FromSeconds(2), node);
            await EnqueueAsync(3, new JobRequest { Id = "one" });
            await node.IdleAsync();
        }
        Assert.Equal([1, 3], ran);
    }

    /// <summary>Checks that progress is visible while a job runs.</summary>
    [Fact]
    public async Task Progress_is_seen_while_the_job_runs()
    {
        var (reported, go) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        await using var node = await StartAsync(
            async (run, ct) =>
            {
                await run.ReportAsync(new { percent = 40 }, ct);
                reported.Release();
                await go.WaitAsync(ct);
            }
        );
        var id = (await EnqueueAsync()).Id;
        await WaitAsync(reported, 1);
        var job = await GetAsync(id);
        Assert.Equal((JobState.Running, 40), (job.State, job.Progress!.Value.GetProperty("percent").GetInt32()));
        go.Release();
        await node.IdleAsync();
    }

    /// <summary>Checks that done jobs are deleted after <c>DoneAge</c> and dead jobs after <c>DeadAge</c>.</summary>
    [Fact]
    public async Task What_is_done_is_forgotten_after_a_while_and_what_is_dead_later()
    {
        (Options.DoneAge, Options.DeadAge) = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(12));
        await using var node = await StartAsync(
            (run, _) => run.Value == 0 ? Task.CompletedTask : throw new JobFailedException("no", isFinal: true)
        );
        var (done, dead) = ((await EnqueueAsync(0)).Id, (await EnqueueAsync(1)).Id);
        await AdvanceAsync(TimeSpan.FromSeconds(4), node);
        Assert.NotNull(await FindAsync(done));
        await AdvanceAsync(TimeSpan.FromSeconds(2), node);
        Assert.Null(await FindAsync(done));
        Assert.Equal(JobState.Dead, (await GetAsync(dead)).State);
        await AdvanceAsync(TimeSpan.FromSeconds(8), node);
        Assert.Null(await FindAsync(dead));
    }

    /// <summary>Checks that the number of store calls depends on the due jobs, not on all jobs.</summary>
    [Fact]
    public async Task The_cost_grows_with_the_jobs_that_are_due_and_not_with_all_jobs()
    {
        async Task<(int Writes, int Reads)> CostOfTenAsync()
        {
            var store = new CutStore(Store);
            await using var node = await StartAsync((_, _) => Task.CompletedTask, store);
            var (writes, reads) = (store.Writes, store.Reads);
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    for (var i = 0; i < 10; i++)
                        await unit.Jobs().EnqueueAsync(Type, i, cancellationToken: ct);
                    return true;
                },
                Cancellation
            );
            await node.IdleAsync();
            return (store.Writes - writes, store.Reads - reads);
        }

        var alone = await CostOfTenAsync();
        for (var i = 0; i < 500; i++)
            await EnqueueAsync(i, new JobRequest { DueAt = Subject.Clock.Now.AddDays(1) });
        var among = await CostOfTenAsync();
        // Ten claims and ten completions. The number of reads depends on how often the worker wakes while the commit is announced: at least
        // one.
        Assert.Equal((20, 20), (alone.Writes, among.Writes));
        Assert.All([alone.Reads, among.Reads], reads => Assert.InRange(reads, 1, 10));
    }

    /// <summary>Checks that a node finds a job that another node commits while it loads its jobs.</summary>
    [Fact]
    public async Task A_job_that_is_committed_during_the_load_is_found()
    {
        JobInfo? job = null;
        var store = new WatchedStore(Store, async () => job ??= await EnqueueAsync());
        await using var node = await StartAsync(async (run, _) => await CompleteAsync(run), store, feed: new CommitFeed());
        await AdvanceAsync(Options.PollInterval, node);
        Assert.Equal(JobState.Done, (await GetAsync(job!.Id)).State);
    }

    /// <summary>Checks that a look-up that failed is repeated before the next poll.</summary>
    [Fact]
    public async Task A_job_whose_look_up_failed_is_looked_up_again()
    {
        var fails = false;
        var store = new WatchedStore(Store, () => fails ? throw new DunlinException(ErrorCode.StoreUnavailable) : default);
        await using var node = await StartAsync(async (run, _) => await CompleteAsync(run), store);
        fails = true;
        var id = (await EnqueueAsync()).Id;
        await node.IdleAsync();
        fails = false;
        await AdvanceAsync(Options.PollInterval - TimeSpan.FromSeconds(1), node);
        Assert.Equal(JobState.Done, (await GetAsync(id)).State);
    }

    /// <summary>Checks that invalid job types are refused.</summary>
    [Fact]
    public async Task Names_that_no_job_can_have_are_refused()
    {
        foreach (var type in new[] { "", "a b", "a/b", new string('x', 61) })
        {
            var refused = await Assert.ThrowsAsync<DunlinException>(() =>
                Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(type, 1, cancellationToken: ct), Cancellation).AsTask()
            );
            Assert.Equal(ErrorCode.InvalidField, refused.Code);
        }
    }

    private static async Task WaitAsync(SemaphoreSlim signal, int times)
    {
        for (var i = 0; i < times; i++)
            Assert.True(await signal.WaitAsync(TimeSpan.FromSeconds(20)), $"signal {i + 1} of {times} did not come");
    }

    private async Task<int> CountAsync(JobState state) =>
        (await Store.ReadAsync((scope, ct) => scope.Jobs().ListAsync(Type, state, ct), Cancellation)).Count;

    /// <summary>A store that calls a function after each read.</summary>
    private sealed class WatchedStore(IStore inner, Func<ValueTask> onRead) : IStore
    {
        public ValueTask<T> WriteAsync<T>(
            Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
            CancellationToken cancellationToken = default
        ) => inner.WriteAsync(work, cancellationToken);

        public async ValueTask<T> ReadAsync<T>(
            Func<IReadScope, CancellationToken, ValueTask<T>> read,
            CancellationToken cancellationToken = default
        )
        {
            var result = await inner.ReadAsync(read, cancellationToken);
            await onRead();
            return result;
        }
    }
}
