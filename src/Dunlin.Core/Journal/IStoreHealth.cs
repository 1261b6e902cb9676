namespace Dunlin.Journal;

/// <summary>Whether the store can still be trusted with writes; readiness reads it. Safe for concurrent use.</summary>
internal interface IStoreHealth
{
    /// <summary>What keeps the store from taking writes; null while it works. Requests are refused with
    /// <see cref="Diagnostics.ErrorCode.StoreUnavailable"/>. A store whose database can come back clears it then; one that has
    /// given up keeps it until the process is started anew.</summary>
    Exception? Fault { get; }

    /// <summary>Cancelled when the store has given up for good.</summary>
    CancellationToken Faulted { get; }
}
