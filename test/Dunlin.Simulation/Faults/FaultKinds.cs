namespace Dunlin.Simulation.Faults;

/// <summary>What may go wrong in a run. The shrinker removes kinds while the run still fails.</summary>
[Flags]
internal enum FaultKinds
{
    None = 0,
    Delays = 1,
    StoreCuts = 1 << 1,
    LostReplies = 1 << 2,
    DiskFull = 1 << 3,
    Notifications = 1 << 4,
    StreamCuts = 1 << 5,
    SlowReaders = 1 << 6,
    Crashes = 1 << 7,
    Pauses = 1 << 8,
    Partitions = 1 << 9,
    Retention = 1 << 10,
    BusyProcessors = 1 << 11,
    All = (1 << 12) - 1,
}

/// <summary>A deliberate fault of the simulated store or network. A run with one must fail: this proves the checkers.</summary>
internal enum Sabotage
{
    None,

    /// <summary>A page of the journal leaves out its last event.</summary>
    PageLosesLastEvent,

    /// <summary>No node learns of the commits of others.</summary>
    NoNotificationsAndNoPoll,

    /// <summary>The claims of leases are not checked: expired holders write.</summary>
    StaleWritesPass,

    /// <summary>The database forgets answers to idempotency keys.</summary>
    KeysAreForgotten,

    /// <summary>Each unit of work of leases starts from the rows before the last commit.</summary>
    LostUpdateOfLeases,

    /// <summary>A commit is reported and then lost.</summary>
    CommitIsLost,

    /// <summary>Two writers of different nodes commit at the same offset.</summary>
    OffsetIsReused,

    /// <summary>The rights of a user are never read again.</summary>
    RightsAreCached,
}
