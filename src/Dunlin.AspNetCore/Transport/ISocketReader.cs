using System.Net.Sockets;

namespace Dunlin.Transport;

/// <summary>Whoever takes what a peer sends.</summary>
internal interface ISocketReader
{
    /// <summary>Takes what there is.</summary>
    /// <returns>False where nothing more is to be read: the peer has ended its side, or the reader wants no more.</returns>
    ValueTask<bool> ReadAsync(Socket socket);

    /// <summary>Nothing more will come. Called once, of the reader that is in charge then.</summary>
    /// <param name="error">Why; null where the peer, or the reader, ended it.</param>
    void OnEnd(Exception? error);
}
