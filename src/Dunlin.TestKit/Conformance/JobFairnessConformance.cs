using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Jobs;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of fairness keys and concurrency keys of jobs on each back end.</summary>
public abstract class JobFairnessConformance : JobSuite
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Checks that fairness keys take turns, and that all jobs without a key share one turn.</summary>
    [Fact]
    public async Task Keys_take_turns_and_jobs_without_a_key_share_one_turn()
    {
        Options.MaxParallel = 1;
        var ran = new ConcurrentQueue<int>();
        string?[] keys = ["ann", "ann", "ann", "ann", null, null, "bob", "bob", "carol"];
        for (var i = 0; i < keys.Length; i++)
        {
            await EnqueueAsync(i, new JobRequest { FairnessKey = keys[i] });
            Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        await using var node = await StartAsync(
            (run, _) =>
            {
                ran.Enqueue(run.Value);
                return Task.CompletedTask;
            }
        );
        // The jobs without a key run first: no key was served before.
        Assert.Equal([4, 0, 6, 8, 5, 1, 7, 2, 3], ran);
    }

    /// <summary>Checks that a fairness key with many hanging jobs leaves slots for other keys.</summary>
    [Fact]
    public async Task A_key_with_many_jobs_that_hang_leaves_room_for_other_keys()
    {
        (Options.MaxParallel, Options.MaxParallelPerFairnessKey) = (4, 2);
        using var silent = new Gate();
        var done = new ConcurrentDictionary<string, TaskCompletionSource>(StringComparer.Ordinal);
        TaskCompletionSource DoneOf(string key) => done.GetOrAdd(key, _ => new TaskCompletionSource());
        await using var node = await StartAsync(
            async (run, ct) =>
            {
                if (run.Job.FairnessKey == "ann")
                    await silent.PassAsync("ann", ct);
                else
                    DoneOf(run.Job.FairnessKey!).TrySetResult();
            }
        );
        for (var i = 0; i < 40; i++)
            await EnqueueAsync(i, new JobRequest { FairnessKey = "ann" });
        await silent.WaitAsync(2);
        foreach (var key in new[] { "bob", "carol" })
        {
            await EnqueueAsync(0, new JobRequest { FairnessKey = key });
            await DoneOf(key).Task.WaitAsync(Patience);
        }
        silent.Open(40);
        await node.IdleAsync();
        Assert.Equal((40, 2), (silent.Passed, silent.MostOf("ann")));
    }

    /// <summary>Checks that a busy concurrency key delays only jobs with the same key.</summary>
    [Fact]
    public async Task A_busy_concurrency_key_holds_back_its_own_jobs_and_no_others()
    {
        (Options.MaxParallel, Options.MaxParallelPerConcurrencyKey) = (4, 1);
        using var gate = new Gate();
        var free = new TaskCompletionSource();
        await using var node = await StartAsync(
            async (run, ct) =>
            {
                if (run.Job.ConcurrencyKey == "slow.example")
                    await gate.PassAsync(run.Job.ConcurrencyKey, ct);
                else
                    free.TrySetResult();
            }
        );
        for (var i = 0; i < 6; i++)
            await EnqueueAsync(i, new JobRequest { FairnessKey = i % 2 == 0 ? "ann" : "bob", ConcurrencyKey = "slow.example" });
        await gate.WaitAsync(1);
        await EnqueueAsync(9, new JobRequest { FairnessKey = "ann", ConcurrencyKey = "fast.example" });
        await free.Task.WaitAsync(Patience);
        gate.Open(6);
        await node.IdleAsync();
        Assert.Equal((6, 1), (gate.Passed, gate.MostOf("slow.example")));
    }

    /// <summary>Checks that keys of a job survive failures and restarts, and that a replacing request sets new ones.</summary>
    [Fact]
    public async Task Keys_survive_failures_and_restarts_and_a_replacement_sets_new_ones()
    {
        Options.FirstDelay = TimeSpan.FromSeconds(5);
        var request = new JobRequest
        {
            Id = "one",
            FairnessKey = "ann",
            ConcurrencyKey = "a.example",
        };
        await using (var node = await StartAsync((_, _) => throw new FormatException("on purpose")))
        {
            await EnqueueAsync(0, request);
            await node.IdleAsync();
        }
        var failed = await GetAsync("one");
        Assert.Equal((JobState.Waiting, "ann", "a.example"), (failed.State, failed.FairnessKey, failed.ConcurrencyKey));
        var anew = await EnqueueAsync(
            0,
            new JobRequest
            {
                Id = "one",
                Replace = true,
                ConcurrencyKey = "b.example",
            }
        );
        Assert.Equal((null, "b.example"), (anew.FairnessKey, anew.ConcurrencyKey));
    }

    /// <summary>Checks that waiting jobs of a busy key can be cancelled or replaced, and that a replaced job runs once.</summary>
    [Fact]
    public async Task Cancelled_jobs_of_a_busy_key_never_run_and_replaced_jobs_run_once()
    {
        (Options.MaxParallel, Options.MaxParallelPerFairnessKey) = (4, 1);
        using var gate = new Gate();
        var ran = new ConcurrentQueue<int>();
        await using var node = await StartAsync(
            async (run, ct) =>
            {
                ran.Enqueue(run.Value);
                if (run.Value == 0)
                    await gate.PassAsync("ann", ct);
            }
        );
        await EnqueueAsync(0, new JobRequest { FairnessKey = "ann" });
        await gate.WaitAsync(1);
        foreach (var (id, value) in new[] { ("cancelled", 1), ("replaced", 2), ("moved", 3) })
            await EnqueueAsync(value, new JobRequest { Id = id, FairnessKey = "ann" });
        await Store.WriteAsync((unit, ct) => unit.Jobs().CancelAsync(Type, "cancelled", ct), Cancellation);
        await EnqueueAsync(
            4,
            new JobRequest
            {
                Id = "replaced",
                FairnessKey = "ann",
                Replace = true,
            }
        );
        await EnqueueAsync(
            5,
            new JobRequest
            {
                Id = "moved",
                FairnessKey = "ann",
                Replace = true,
                DueAt = Subject.Clock.Now.AddSeconds(3),
            }
        );
        gate.Open(1);
        await node.IdleAsync();
        Assert.Equal([0, 4], ran);
        await AdvanceAsync(TimeSpan.FromSeconds(3), node);
        Assert.Equal([0, 4, 5], ran);
    }

    /// <summary>Checks that empty and overlong keys are refused.</summary>
    [Theory]
    [InlineData("", null, "fairnessKey")]
    [InlineData(null, "", "concurrencyKey")]
    [InlineData("201", null, "fairnessKey")]
    [InlineData("ann", "201", "concurrencyKey")]
    public async Task Keys_that_cannot_be_kept_are_refused(string? fairness, string? concurrency, string field)
    {
        static string? Text(string? key) => key == "201" ? new string('x', 201) : key;
        var request = new JobRequest { FairnessKey = Text(fairness), ConcurrencyKey = Text(concurrency) };
        var refused = await Assert.ThrowsAsync<DunlinException>(() => EnqueueAsync(0, request).AsTask());
        Assert.Equal((ErrorCode.InvalidField, field), (refused.Code, refused.Field));
    }

    /// <summary>Holds jobs until the test releases them, and counts how many jobs of a key it holds at once.</summary>
    private sealed class Gate : IDisposable
    {
        private readonly SemaphoreSlim _arrived = new(0);
        private readonly SemaphoreSlim _open = new(0);
        private readonly Dictionary<string, (int Now, int Most)> _counts = new(StringComparer.Ordinal);
        private int _passed;

        public int Passed => Volatile.Read(ref _passed);

        public async Task PassAsync(string key, CancellationToken cancellationToken)
        {
            Count(key, 1);
            _arrived.Release();
            await _open.WaitAsync(cancellationToken);
            Count(key, -1);
            Interlocked.Increment(ref _passed);
        }

        public async Task WaitAsync(int times)
        {
            for (var i = 0; i < times; i++)
                Assert.True(await _arrived.WaitAsync(Patience), $"job {i + 1} of {times} did not begin");
        }

        public void Open(int count) => _open.Release(count);

        public int MostOf(string key)
        {
            lock (_counts)
                return _counts[key].Most;
        }

        public void Dispose()
        {
            _arrived.Dispose();
            _open.Dispose();
        }

        private void Count(string key, int change)
        {
            lock (_counts)
            {
                var (now, most) = _counts.GetValueOrDefault(key);
                _counts[key] = (now + change, Math.Max(most, now + change));
            }
        }
    }
}
