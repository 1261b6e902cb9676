using System.Net.Sockets;

namespace Dunlin.Transport;

/// <summary>Reads the bytes that a client sends.</summary>
internal interface ISocketReader
{
    /// <summary>Reads the available bytes.</summary>
    /// <returns>False if the reader is done: the client has ended its side, or the reader needs no more bytes.</returns>
    ValueTask<bool> ReadAsync(Socket socket);

    /// <summary>Reports that no more bytes will arrive. Called once, for the current reader.</summary>
    /// <param name="error">The cause. Null if the client or the reader ended the input.</param>
    void OnEnd(Exception? error);
}
