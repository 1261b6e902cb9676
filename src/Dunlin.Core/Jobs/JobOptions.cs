using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dunlin.Json;
using Microsoft.Extensions.Options;

namespace Dunlin.Jobs;

/// <summary>
/// How the jobs of one type run. Set where the handler is added, or for all types with
/// <c>services.ConfigureAll&lt;JobOptions&gt;(...)</c>.
/// </summary>
public sealed class JobOptions
{
    /// <summary>Largest number of jobs that run at once on one node. Default: 4. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxParallel { get; set; } = 4;

    /// <summary>
    /// Largest number of jobs of one <see cref="JobRequest.FairnessKey"/> that run at once on one node. Keys always take turns. Zero:
    /// only <see cref="MaxParallel"/> applies. Default: 0. Range: 0 to 1,000.
    /// </summary>
    [Range(0, 1_000)]
    public int MaxParallelPerFairnessKey { get; set; }

    /// <summary>
    /// Largest number of jobs of one <see cref="JobRequest.ConcurrencyKey"/> that run at once on one node. Zero: only
    /// <see cref="MaxParallel"/> applies. Default: 0. Range: 0 to 1,000.
    /// </summary>
    [Range(0, 1_000)]
    public int MaxParallelPerConcurrencyKey { get; set; }

    /// <summary>Options that read a job's value for its handler, for example with source-generated contracts. Default:
    /// <see cref="JsonSerializerOptions.Web"/>.</summary>
    [Required]
    public JsonSerializerOptions Json { get; set; } = JsonContracts.Web;

    /// <summary>Attempts before a job is dead. An attempt whose worker was lost counts. Default: 5. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>
    /// Delay after the first failure; it doubles with each further failure. 50 to 100 % of it is used at random, so that jobs that failed
    /// together do not retry together. More than zero. Default: 2 s.
    /// </summary>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest delay between two attempts. More than zero. Default: 5 minutes.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Duration of a claim; the worker renews it at a third of it. After a worker is lost, the job waits for at most this time, or for
    /// <see cref="NodeTimeout"/> if that is shorter. At least 1 s. Default: 30 s.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time without a sign of life of a node after which other nodes run its jobs of this type again, while the database accepts writes. A
    /// node that runs jobs writes one row each third of it. Zero: after <see cref="LeaseDuration"/>. Otherwise at least 1 s. Default: 3 s.
    /// </summary>
    public TimeSpan NodeTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest duration of one attempt. A longer attempt fails. More than zero. Default: 5 minutes.</summary>
    public TimeSpan RunLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Time for which a completed job can be read. Default: 1 hour.</summary>
    public TimeSpan DoneAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Time for which a dead job can be retried. Then it is deleted. Default: 30 days.</summary>
    public TimeSpan DeadAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Time between two reads of the journal for jobs that other nodes completed. New jobs start without it. More than zero. Default: 5
    /// s.
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
            throw new ArgumentOutOfRangeException(
                nameof(LeaseDuration),
                $"JobOptions.LeaseDuration of job type '{type}' must be at least one second."
            );
        if (NodeTimeout != TimeSpan.Zero && NodeTimeout < TimeSpan.FromSeconds(1))
            throw new ArgumentOutOfRangeException(
                nameof(NodeTimeout),
                $"JobOptions.NodeTimeout of job type '{type}' must be zero or at least one second, not {NodeTimeout}."
            );
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
                throw new ArgumentOutOfRangeException(name, $"JobOptions.{name} of job type '{type}' must be more than zero, not {value}.");
        }
    }
}

[OptionsValidator]
internal sealed partial class JobOptionsValidator : IValidateOptions<JobOptions>;
