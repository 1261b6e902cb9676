namespace Dunlin.Fanout;

/// <summary>
/// The way out of one connection. Its owner calls it from one place at a time; the implementer need not lock. After
/// <see cref="Abort"/> the other members may be called once more and must not throw.
/// </summary>
public interface IFrameSink
{
    /// <summary>Takes bytes to send; nothing is sent before the flush. The memory is shared with other connections and never
    /// changes, so that it may be kept and sent from where it is.</summary>
    void Write(ReadOnlyMemory<byte> bytes);

    /// <summary>Sends what was written. Completes at once while the peer keeps up; otherwise when it has read enough.</summary>
    /// <returns>False where the connection is gone.</returns>
    ValueTask<bool> FlushAsync();

    /// <summary>Asked once, when the opening has been flushed: what all that follows is written to.</summary>
    /// <returns>This sink, or one that takes its place because it is shorter.</returns>
    IFrameSink Continue(EventStreamConnection connection) => this;

    /// <summary>Cuts the connection at once, also while a flush is waiting. May be called concurrently with a flush.</summary>
    void Abort();
}
