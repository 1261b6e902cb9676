using Dunlin.Jobs;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Jobs;

/// <summary>Compares the schedule with a model that searches all jobs.</summary>
public sealed class JobScheduleTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Random_steps_run_a_due_job_when_a_slot_is_free_within_limits()
    {
        var random = TestSeed.NewRandom(out _);
        for (var round = 0; round < 200; round++)
            Run(new JobOptions { MaxParallelPerFairnessKey = random.Next(4), MaxParallelPerConcurrencyKey = random.Next(4) }, random);
    }

    [Fact]
    public void A_key_with_alternating_jobs_does_not_starve_a_waiting_one()
    {
        var schedule = new JobSchedule(new JobOptions());
        for (var i = 0; i < 3; i++)
            schedule.Set(new ScheduledJob($"waits{i}", Start, 1, "waits", null));
        var taken = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            schedule.Set(new ScheduledJob($"comes{i}", Start, 1, "comes", null));
            var job = schedule.TakeDue(Start)!;
            taken.Add(job.FairnessKey!);
            schedule.Release(job);
        }
        Assert.Equal(3, taken.Count(key => key == "waits"));
    }

    private static void Run(JobOptions options, Random random)
    {
        var schedule = new JobSchedule(options);
        var model = new Dictionary<string, ScheduledJob>(StringComparer.Ordinal);
        var running = new List<ScheduledJob>();
        var now = Start;
        bool HasRoom(ScheduledJob job) =>
            (
                job.FairnessKey is null
                || options.MaxParallelPerFairnessKey == 0
                || running.Count(r => r.FairnessKey == job.FairnessKey) < options.MaxParallelPerFairnessKey
            )
            && (
                job.ConcurrencyKey is null
                || options.MaxParallelPerConcurrencyKey == 0
                || running.Count(r => r.ConcurrencyKey == job.ConcurrencyKey) < options.MaxParallelPerConcurrencyKey
            );
        for (var step = 1; step < 200; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1:
                    var job = new ScheduledJob($"j{random.Next(20)}", now.AddSeconds(random.Next(-2, 5)), step, Key("u"), Key("h"));
                    schedule.Set(job);
                    model[job.Id] = job;
                    break;
                case 2:
                    var gone = $"j{random.Next(20)}";
                    schedule.Remove(gone);
                    model.Remove(gone);
                    break;
                case 3:
                    now = now.AddSeconds(1);
                    break;
                case 4 when running.Count > 0:
                    var ended = running[random.Next(running.Count)];
                    running.Remove(ended);
                    schedule.Release(ended);
                    break;
                default:
                    Take();
                    break;
            }
        }

        void Take()
        {
            var able = model.Values.Where(job => job.Due <= now && HasRoom(job)).ToList();
            var later = model.Values.Where(job => job.Due > now).Select(job => (DateTimeOffset?)job.Due).Min();
            var nextAt = schedule.NextAt(now);
            Assert.True(able.Count > 0 ? nextAt <= now : nextAt == later, $"next at {nextAt}; {able.Count} able, others from {later}");
            var taken = schedule.TakeDue(now);
            Assert.Equal(able.Count > 0, taken is not null);
            if (taken is null)
                return;
            Assert.Contains(taken, able);
            int RunningOf(string? key) => running.Count(r => r.FairnessKey == key);
            Assert.Equal(able.Min(job => RunningOf(job.FairnessKey)), RunningOf(taken.FairnessKey));
            Assert.Equal(able.Where(job => job.FairnessKey == taken.FairnessKey).Min(job => job.Due), taken.Due);
            model.Remove(taken.Id);
            running.Add(taken);
        }

        string? Key(string prefix) => random.Next(4) == 0 ? null : prefix + random.Next(3);
    }
}
