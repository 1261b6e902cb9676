using System.Net.Sockets;

namespace Dunlin.Fuzz.Http;

/// <summary>Sends bytes over one connection, closes the sending half, and reads until the server closes its half.</summary>
internal static class RawExchange
{
    // Long, because the machine may be busy. A connection that hangs never ends.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    private const int MaxAnswer = 4 * 1024 * 1024;

    /// <param name="address">The server.</param>
    /// <param name="bytes">The bytes to send.</param>
    /// <param name="sizes">Returns the size of the next piece. Pieces are sent one by one.</param>
    /// <returns>The received bytes.</returns>
    /// <exception cref="OperationCanceledException">The server did not close the connection.</exception>
    public static async Task<byte[]> SendAsync(Uri address, ReadOnlyMemory<byte> bytes, Func<int> sizes)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host, address.Port, limit.Token);
        var sending = SendAsync(socket, bytes, sizes, limit.Token);
        var answer = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            while (answer.Length < MaxAnswer && await socket.ReceiveAsync(buffer, limit.Token) is > 0 and var count)
                answer.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            // The server reset the connection: it did not read all that was sent.
        }
        await sending;
        return answer.ToArray();
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, Func<int> sizes, CancellationToken limit)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var size = Math.Min(Math.Max(1, sizes()), bytes.Length);
                await socket.SendAsync(bytes[..size], limit);
                bytes = bytes[size..];
            }
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server has closed the connection already.
        }
    }
}
