using System.Net.Sockets;

namespace Dunlin.Transport;

/// <summary>Waits for bytes of a client while its socket is open, and passes them to the current reader: first Kestrel's side of the
/// connection, then the stream that took over the socket.</summary>
/// <remarks>While it waits, it holds no buffer and no reference to a former reader.</remarks>
internal sealed class SocketReceiver(Socket socket, ISocketReader reader)
{
    private ISocketReader _reader = reader;

    /// <summary>Gets the task of <see cref="RunAsync"/>.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to read. Call once.</summary>
    public void Start() => Completion = RunAsync();

    /// <summary>Replaces the current reader.</summary>
    /// <returns>False if <paramref name="from"/> is not the current reader, or the input has ended.</returns>
    public bool TryHandOver(ISocketReader from, ISocketReader to) =>
        ReferenceEquals(Interlocked.CompareExchange(ref _reader, to, from), from);

    /// <summary>Reads until the input ends, or until the current reader needs no more bytes.</summary>
    private async Task RunAsync()
    {
        Exception? error = null;
        try
        {
            do
            {
                // A read of zero bytes waits for input without a buffer.
                await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
            } while (await ReadAsync());
            return;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            error = exception;
        }
        Interlocked.Exchange(ref _reader, Ended.Instance).OnEnd(error);
    }

    // A separate method, because the locals of RunAsync would keep a former reader alive while no bytes arrive.
    internal async ValueTask<bool> ReadAsync()
    {
        var inCharge = Volatile.Read(ref _reader);
        if (await inCharge.ReadAsync(socket))
            return true;
        // A reader that hands over during its read returns false, but the next reader may need more bytes.
        if (!ReferenceEquals(Interlocked.CompareExchange(ref _reader, Ended.Instance, inCharge), inCharge))
            return true;
        inCharge.OnEnd(error: null);
        return false;
    }

    private sealed class Ended : ISocketReader
    {
        public static readonly Ended Instance = new();

        public ValueTask<bool> ReadAsync(Socket socket) => new(false);

        public void OnEnd(Exception? error)
        {
            // The input has ended already.
        }
    }
}
