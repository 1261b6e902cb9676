using System.Net.Sockets;

namespace Dunlin.Transport;

/// <summary>
/// Waits for what a peer sends, for as long as its socket lives, and hands the waiting from one reader to another: first Kestrel's
/// side of the connection reads, then the stream that took the socket over. While nothing comes it holds no buffer, and nothing of a
/// reader that is no longer in charge.
/// </summary>
internal sealed class SocketReceiver(Socket socket, ISocketReader reader)
{
    private ISocketReader _reader = reader;

    /// <summary>Puts another reader in charge.</summary>
    /// <returns>False where <paramref name="from"/> is not in charge, or it has ended.</returns>
    public bool TryHandOver(ISocketReader from, ISocketReader to) =>
        ReferenceEquals(Interlocked.CompareExchange(ref _reader, to, from), from);

    /// <summary>Reads until the end. Call once.</summary>
    public async Task RunAsync()
    {
        Exception? error = null;
        try
        {
            do
            {
                // Nothing is allocated before there is something to read.
                await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
            } while (await ReadAsync());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            error = exception;
        }
        Interlocked.Exchange(ref _reader, Ended.Instance).OnEnd(error);
    }

    // A method of its own, because its locals hold on to the reader and this one's would for as long as nothing comes.
    private async ValueTask<bool> ReadAsync()
    {
        var inCharge = Volatile.Read(ref _reader);
        // One that hands over while it reads wants no more; the next may.
        return await inCharge.ReadAsync(socket) || !ReferenceEquals(inCharge, Volatile.Read(ref _reader));
    }

    private sealed class Ended : ISocketReader
    {
        public static readonly Ended Instance = new();

        public ValueTask<bool> ReadAsync(Socket socket) => new(false);

        public void OnEnd(Exception? error)
        {
            // It has ended already.
        }
    }
}
