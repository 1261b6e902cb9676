using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Consumers;

/// <summary>What all groups of a node share. Thread-safe.</summary>
internal sealed record ConsumerNode(IStore Store, IJournal Journal, StoreClock Clock, ConsumerInstruments Instruments, ILogger Logger)
{
    /// <summary>Gets the id of the node. Each start of a process has another one.</summary>
    public string Id { get; init; } = Guid.NewGuid().ToString("N");

    /// <summary>Gets whether no other process can use the store.</summary>
    public bool IsAlone { get; init; }

    /// <summary>Gets the registry that reports the loops to the health check.</summary>
    public BackgroundLoops? Loops { get; init; }
}
