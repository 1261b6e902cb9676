using System.ComponentModel.DataAnnotations;

namespace Dunlin.Jobs;

/// <summary>How the jobs of one type are run. Set where the handler is added, or for all types with
/// <c>services.ConfigureAll&lt;JobOptions&gt;(...)</c>.</summary>
public sealed class JobOptions
{
    /// <summary>How many run at once on one node. Default: 4.</summary>
    [Range(1, 1_000)]
    public int MaxParallel { get; set; } = 4;

    /// <summary>How many jobs of one <see cref="JobRequest.FairnessKey"/> run at once on one node. Default: 0, no limit but
    /// <see cref="MaxParallel"/>. Keys take turns in any case.</summary>
    [Range(0, 1_000)]
    public int MaxParallelPerFairnessKey { get; set; }

    /// <summary>How many jobs of one <see cref="JobRequest.ConcurrencyKey"/> run at once on one node. Default: 0, no limit but
    /// <see cref="MaxParallel"/>.</summary>
    [Range(0, 1_000)]
    public int MaxParallelPerConcurrencyKey { get; set; }

    /// <summary>How often a job is tried before it is dead. Default: 5. An attempt whose worker vanished counts.</summary>
    [Range(1, 1_000)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>The pause after the first failure; each further one is twice as long. The pause taken lies between half of it and
    /// all of it, by chance, so that what failed together does not come back together. Default: 2 s.</summary>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest pause. Default: 5 minutes.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a claim lasts unless it is renewed, which happens at a third of it: the longest time that a job lies
    /// still after its worker was lost, where several nodes share the store. Default: 30 s; 1 s at least.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time that one attempt may take; it fails then. Default: 5 minutes.</summary>
    public TimeSpan RunLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a job that was done can still be looked up. Default: 1 hour.</summary>
    public TimeSpan DoneAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a dead job waits to be retried before it is forgotten. Default: 30 days.</summary>
    public TimeSpan DeadAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How often the journal is asked for what the workers of other nodes have done. What is enqueued, at whatever node, is
    /// told at once. Default: 5 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause before the attempt after this one, without chance.</summary>
    internal TimeSpan DelayAfter(int attempt)
    {
        var doublings = Math.Min(attempt - 1, 40);
        var ticks = FirstDelay.Ticks * Math.Pow(2, doublings);
        return ticks >= MaxDelay.Ticks ? MaxDelay : TimeSpan.FromTicks((long)ticks);
    }

    internal void Check(string type)
    {
        if (LeaseDuration < TimeSpan.FromSeconds(1))
            throw new ArgumentOutOfRangeException(nameof(LeaseDuration), $"Jobs '{type}': a claim lasts a second at least.");
        foreach (
            var (value, name) in (ReadOnlySpan<(TimeSpan, string)>)
                [
                    (FirstDelay, nameof(FirstDelay)),
                    (MaxDelay, nameof(MaxDelay)),
                    (RunLimit, nameof(RunLimit)),
                    (PollInterval, nameof(PollInterval)),
                ]
        )
        {
            if (value <= TimeSpan.Zero)
                throw new ArgumentOutOfRangeException(name, $"Jobs '{type}': it must be more than zero.");
        }
    }
}
