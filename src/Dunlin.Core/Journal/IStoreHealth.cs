namespace Dunlin.Journal;

/// <summary>Whether the store can still be trusted with writes; readiness reads it. Safe for concurrent use.</summary>
public interface IStoreHealth
{
    /// <summary>What made the store give up; null while it works. Once set it stays, and every request is refused with
    /// <see cref="Diagnostics.ErrorCode.StoreUnavailable"/> until the process is started anew.</summary>
    Exception? Fault { get; }

    /// <summary>Cancelled when <see cref="Fault"/> is set.</summary>
    CancellationToken Faulted { get; }
}
