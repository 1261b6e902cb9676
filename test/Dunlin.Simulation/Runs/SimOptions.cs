using Dunlin.Simulation.Faults;

namespace Dunlin.Simulation.Runs;

/// <summary>What a run does. The shrinker makes it smaller.</summary>
/// <param name="Seed">Decides the rates of the faults and, unless <see cref="Order"/> differs, the order of all steps.</param>
internal sealed record SimOptions(int Seed)
{
    /// <summary>Gets the seed of the order of steps. Default: 0, which means that of <see cref="Seed"/>.</summary>
    public int Order { get; init; }

    public FaultKinds Kinds { get; init; } = FaultKinds.All;

    public Sabotage Sabotage { get; init; }

    public int Nodes { get; init; } = 3;

    public int Publishers { get; init; } = 3;

    public int Events { get; init; } = 12;

    public int Readers { get; init; } = 5;

    public int LeaseUsers { get; init; } = 3;

    public int Leases { get; init; } = 5;

    public int Jobs { get; init; } = 4;

    public int Rights { get; init; } = 2;

    public bool Traces { get; init; }
}

/// <summary>The outcome of a run.</summary>
/// <param name="Failure">The broken invariant; null if all hold.</param>
/// <param name="Digest">The digest of all steps.</param>
/// <param name="Steps">The number of steps.</param>
/// <param name="Counts">What the run did, to see that it did enough.</param>
/// <param name="Trace">The readable trace; empty unless it was asked for.</param>
internal sealed record SimResult(Exception? Failure, ulong Digest, long Steps, SimCounts Counts, IReadOnlyList<string> Trace)
{
    public string? Check => Failure is null ? null : (Failure as Scheduling.SimulationException)?.Check ?? Failure.GetType().Name;
}

/// <summary>Counts of one run or of many.</summary>
internal sealed record SimCounts(long Events, long Received, long Grants, long Jobs, long Virtual)
{
    public static SimCounts None { get; } = new(0, 0, 0, 0, 0);

    public static SimCounts operator +(SimCounts a, SimCounts b) =>
        new(a.Events + b.Events, a.Received + b.Received, a.Grants + b.Grants, a.Jobs + b.Jobs, a.Virtual + b.Virtual);
}
