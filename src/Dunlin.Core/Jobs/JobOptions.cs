using System.ComponentModel.DataAnnotations;

namespace Dunlin.Jobs;

/// <summary>
/// The options of one job type. Set them where the handler is added, or for all types with
/// <c>services.ConfigureAll&lt;JobOptions&gt;(...)</c>.
/// </summary>
public sealed class JobOptions
{
    /// <summary>Gets or sets the maximum number of concurrent jobs on one node. Default: 4. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxParallel { get; set; } = 4;

    /// <summary>
    /// Gets or sets the maximum number of concurrent jobs of one <see cref="JobRequest.FairnessKey"/> on one node. Default: 0, limited by
    /// <see cref="MaxParallel"/> only. Keys take turns in any case.
    /// </summary>
    [Range(0, 1_000)]
    public int MaxParallelPerFairnessKey { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of concurrent jobs of one <see cref="JobRequest.ConcurrencyKey"/> on one node. Default: 0, limited
    /// by <see cref="MaxParallel"/> only.
    /// </summary>
    [Range(0, 1_000)]
    public int MaxParallelPerConcurrencyKey { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of attempts before a job is dead. Default: 5. Range: 1 to 1,000. An attempt whose worker was lost
    /// counts.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>
    /// Gets or sets the delay after the first failure. Default: 2 seconds. Doubles with each further failure, up to <see cref="MaxDelay"/>.
    /// </summary>
    /// <remarks>The actual delay is random, 50 to 100 % of this value, so that jobs that failed together do not retry together.</remarks>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Gets or sets the maximum delay between attempts. Default: 5 minutes.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets the duration of a claim. Default: 30 seconds. Minimum: 1 second. The worker renews its claim after a third of it.
    /// </summary>
    /// <remarks>If several nodes share the store, it is the longest time for which the job of a lost worker stays idle.</remarks>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the maximum duration of one attempt, which then fails. Default: 5 minutes.</summary>
    public TimeSpan RunLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets or sets how long a completed job is kept. Default: 1 hour.</summary>
    public TimeSpan DoneAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets how long a dead job is kept for a retry. Default: 30 days.</summary>
    public TimeSpan DeadAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Gets or sets how often the journal is polled for changes by workers of other nodes. Default: 5 seconds. New jobs of all nodes are
    /// notified at once.
    /// </summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Returns the delay after an attempt, without jitter.</summary>
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
