namespace Dunlin.Fanout;

/// <summary>
/// The output of one connection. Need not be thread-safe: the connection calls it from one place at a time, except for <see cref="Abort"/>.
/// </summary>
/// <remarks>After <see cref="Abort"/>, the connection may call the other members once more; they must not throw.</remarks>
internal interface IFrameSink
{
    /// <summary>Buffers bytes until the next flush. Sends nothing.</summary>
    /// <param name="bytes">The bytes. The memory is shared with other connections and immutable, so the sink may keep a reference.</param>
    void Write(ReadOnlyMemory<byte> bytes);

    /// <summary>Sends the buffered bytes. Completes synchronously while the peer keeps up, otherwise when it has read enough.</summary>
    /// <returns>False if the connection is gone.</returns>
    ValueTask<bool> FlushAsync();

    /// <summary>Returns the sink for all later writes. The connection calls it once, after it has flushed the opening.</summary>
    /// <param name="connection">The connection.</param>
    /// <returns>This sink, or another one that reaches the peer more directly.</returns>
    IFrameSink Continue(EventStreamConnection connection) => this;

    /// <summary>Aborts the connection at once, also during a flush. Must be safe to call concurrently with a flush.</summary>
    void Abort();
}
