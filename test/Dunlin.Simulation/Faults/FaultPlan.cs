namespace Dunlin.Simulation.Faults;

/// <summary>The rates of one run, drawn from its seed: some runs are calm and some are wild. Rates are probabilities.</summary>
internal sealed record FaultPlan
{
    public double StoreCut { get; init; }

    public double LostReply { get; init; }

    /// <summary>Gets the longest delay of one message. Most take far less.</summary>
    public TimeSpan MaxDelay { get; init; }

    public double NotificationLoss { get; init; }

    public double NotificationRepeat { get; init; }

    public double StreamCut { get; init; }

    public double SlowFlush { get; init; }

    /// <summary>Gets the mean time between two events of the whole cluster: crash, pause, partition, full disk.</summary>
    public TimeSpan Calamity { get; init; }

    public double Stall { get; init; }

    public bool Trims { get; init; }

    /// <summary>Draws a plan. The random source is not that of the run, so a removed kind leaves the other rates unchanged.</summary>
    public static FaultPlan Draw(int seed, FaultKinds kinds)
    {
        var random = new Random(seed ^ 0x5eed);
        // The wildness multiplies all rates: a fifth of the runs has none.
        var wild = random.Next(5) switch
        {
            0 => 0,
            1 => 0.2,
            2 => 1,
            3 => 2,
            _ => 4,
        };
        double Rate(FaultKinds kind, double most)
        {
            var rate = random.NextDouble() * most * wild;
            return kinds.HasFlag(kind) ? Math.Min(rate, 0.5) : 0;
        }

        var delay = TimeSpan.FromMilliseconds(
            random.Next(3) switch
            {
                0 => 5,
                1 => 200,
                _ => 3_000,
            }
        );
        var calamity = TimeSpan.FromSeconds(wild == 0 ? 10_000 : 4 + (40 * random.NextDouble() / wild));
        return new FaultPlan
        {
            StoreCut = Rate(FaultKinds.StoreCuts, 0.08),
            LostReply = Rate(FaultKinds.LostReplies, 0.08),
            MaxDelay = kinds.HasFlag(FaultKinds.Delays) ? delay : TimeSpan.FromMilliseconds(1),
            NotificationLoss = Rate(FaultKinds.Notifications, 0.3),
            NotificationRepeat = Rate(FaultKinds.Notifications, 0.2),
            StreamCut = Rate(FaultKinds.StreamCuts, 0.03),
            SlowFlush = Rate(FaultKinds.SlowReaders, 0.15),
            Calamity = calamity,
            Stall = kinds.HasFlag(FaultKinds.BusyProcessors) ? random.NextDouble() * 0.05 * wild : 0,
            Trims = random.Next(3) == 0 && kinds.HasFlag(FaultKinds.Retention),
        };
    }

    /// <summary>Returns the plan without faults, for the end of a run: everything must come to rest.</summary>
    public FaultPlan Calm() =>
        new()
        {
            MaxDelay = TimeSpan.FromMilliseconds(5),
            Trims = Trims,
            Calamity = TimeSpan.MaxValue,
        };
}
