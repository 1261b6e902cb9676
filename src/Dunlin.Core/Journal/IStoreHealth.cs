namespace Dunlin.Journal;

/// <summary>Reports whether the store accepts writes. Readiness checks read it. Thread-safe.</summary>
internal interface IStoreHealth
{
    /// <summary>Gets the error that prevents writes; null while the store works.</summary>
    /// <remarks>
    /// While it is set, requests fail with <see cref="Diagnostics.ErrorCode.StoreUnavailable"/>. A store whose database recovers clears it.
    /// After a permanent failure it stays set until the process restarts.
    /// </remarks>
    Exception? Fault { get; }

    /// <summary>Gets a token that is cancelled when the store has failed permanently.</summary>
    CancellationToken Faulted { get; }
}
