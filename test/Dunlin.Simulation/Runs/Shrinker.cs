using Dunlin.Simulation.Faults;

namespace Dunlin.Simulation.Runs;

/// <summary>Makes a failing run smaller: without faults and work that the failure does not need.</summary>
internal static class Shrinker
{
    /// <summary>The number of other orders to try for each smaller run: removing anything changes the order of all later steps.</summary>
    private const int Orders = 12;

    /// <summary>Returns a smaller run that breaks the same invariant, or the same run if there is none.</summary>
    /// <param name="failing">A run that fails.</param>
    /// <param name="report">Called with each smaller run; null for none.</param>
    /// <exception cref="ArgumentException">The run does not fail.</exception>
    public static SimOptions Shrink(SimOptions failing, Action<SimOptions>? report = null)
    {
        var check = Simulation.Run(failing).Check ?? throw new ArgumentException("The run does not fail.", nameof(failing));
        var smallest = failing;
        while (
            Candidates(smallest).Select(candidate => Failing(candidate, check)).FirstOrDefault(found => found is not null) is { } smaller
        )
        {
            smallest = smaller;
            report?.Invoke(smallest);
        }
        return smallest;
    }

    private static SimOptions? Failing(SimOptions candidate, string check)
    {
        for (var order = 0; order < Orders; order++)
        {
            var run = order == 0 ? candidate : candidate with { Order = order };
            if (Simulation.Run(run).Check == check)
                return run;
        }
        return null;
    }

    // The largest steps first.
    private static IEnumerable<SimOptions> Candidates(SimOptions run)
    {
        if (run.LeaseUsers > 0)
            yield return run with
            {
                LeaseUsers = 0,
            };
        if (run.Publishers > 0)
            yield return run with
            {
                Publishers = 0,
            };
        if (run.Readers > 0)
            yield return run with
            {
                Readers = 0,
            };
        if (run.Jobs > 0)
            yield return run with
            {
                Jobs = 0,
            };
        if (run.Rights > 0)
            yield return run with
            {
                Rights = 0,
            };
        foreach (var kind in Enum.GetValues<FaultKinds>().Where(kind => kind is not (FaultKinds.None or FaultKinds.All)))
        {
            if (run.Kinds.HasFlag(kind))
                yield return run with
                {
                    Kinds = run.Kinds & ~kind,
                };
        }
        if (run.Nodes > 1)
            yield return run with
            {
                Nodes = run.Nodes - 1,
            };
        if (run.Publishers > 1)
            yield return run with
            {
                Publishers = run.Publishers - 1,
            };
        if (run.Events > 1)
            yield return run with
            {
                Events = run.Events / 2,
            };
        if (run.Readers > 1)
            yield return run with
            {
                Readers = run.Readers / 2,
            };
        if (run.LeaseUsers > 1)
            yield return run with
            {
                LeaseUsers = run.LeaseUsers - 1,
            };
        if (run.Leases > 1)
            yield return run with
            {
                Leases = run.Leases / 2,
            };
        if (run.Jobs > 1)
            yield return run with
            {
                Jobs = run.Jobs / 2,
            };
    }
}
