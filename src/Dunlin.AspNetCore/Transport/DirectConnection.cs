using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Dunlin.Transport;

/// <summary>A connection of Kestrel whose socket an event stream can take over. States:</summary>
/// <code>
/// serving -> closed
/// serving -> taken (Kestrel's side ends; the new owner uses the socket)
/// </code>
/// <remarks>
/// Invariant: the owner of the socket closes it exactly once. The owner is this connection and, after <see cref="TryTakeOver"/>, the new
/// owner. Later calls of Kestrel then have no effect on the socket. The input of Kestrel's side is completed, so no reader of a request
/// waits for bytes that go to the new owner.
/// </remarks>
internal sealed class DirectConnection : DefaultConnectionContext, ISocketReader, IConnectionSocketFeature, IMemoryPoolFeature
{
    private static long _lastId = TimeProvider.System.GetUtcNow().Ticks;

    // Guards changes of _state. Also held while received bytes are written to memory of the input, because that memory must not be freed
    // meanwhile.
    private readonly Lock _reading = new();
    private readonly Pipe _input;
    private readonly SocketPipeWriter _output;
    private readonly SocketReceiver _receiver;
    private readonly CancellationTokenSource _closed = new();
    private Task _receiving = Task.CompletedTask;
    private int _state; // see State

    private DirectConnection(Socket socket, MemoryPool<byte> pool, SocketTransportOptions options, OpenSockets open)
        : base(Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture))
    {
        Socket = socket;
        MemoryPool = pool;
        Open = open;
        // The reader runs inline: the bytes arrive on a pool thread, and nothing else waits for that thread.
        _input = new Pipe(
            new PipeOptions(
                pool,
                PipeScheduler.Inline,
                PipeScheduler.Inline,
                options.MaxReadBufferSize ?? 0,
                (options.MaxReadBufferSize ?? 0) / 2,
                useSynchronizationContext: false
            )
        );
        _output = new SocketPipeWriter(socket, this);
        _receiver = new SocketReceiver(socket, this);
        Transport = new Duplex(_input.Reader, _output);
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
    }

    private enum State
    {
        Serving,
        Taken,
        Closed,
    }

    /// <summary>Gets the counter of open sockets.</summary>
    public OpenSockets Open { get; }

    /// <inheritdoc/>
    public Socket Socket { get; }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool { get; }

    public static DirectConnection Start(Socket socket, MemoryPool<byte> pool, SocketTransportOptions options, OpenSockets open)
    {
        if (socket.LocalEndPoint is System.Net.IPEndPoint)
            socket.NoDelay = options.NoDelay;
        // A blocking socket would block the thread in a send that the TCP window does not accept.
        socket.Blocking = false;
        var connection = new DirectConnection(socket, pool, options, open);
        connection._receiving = connection._receiver.RunAsync();
        return connection;
    }

    /// <summary>Takes the socket away from Kestrel, which then completes its side as if the connection had closed.</summary>
    /// <param name="owner">Receives the input and the end of the connection from now on. It must close the socket with
    /// <see cref="CloseTaken"/>.</param>
    /// <returns>False if the connection is closed or the client has ended it.</returns>
    /// <remarks>Only the writer may call this, after all written bytes are sent and the body of the request is read to its end. Kestrel
    /// reads the rest of a body after the response, and would not receive it.</remarks>
    public bool TryTakeOver(ISocketReader owner)
    {
        lock (_reading)
        {
            if (_state != (int)State.Serving)
                return false;
            // On failure, Kestrel has been notified of the client's end and closes the socket as usual.
            if (!_receiver.TryHandOver(this, owner))
                return false;
            Volatile.Write(ref _state, (int)State.Taken);
        }
        Open.Take();
        _output.Complete();
        // On another thread, because the reader of the input continues synchronously inside Complete.
        ThreadPool.UnsafeQueueUserWorkItem(static input => input.Complete(), _input.Writer, preferLocal: false);
        return true;
    }

    /// <summary>Closes a socket that was taken over. Call once.</summary>
    public static void CloseTaken(Socket socket, OpenSockets open, bool abortive)
    {
        Close(socket, abortive);
        open.Remove(taken: true);
    }

    /// <summary>Closes a socket without an owner.</summary>
    public static void Close(Socket socket, bool abortive)
    {
        try
        {
            if (abortive)
            {
                socket.Close(timeout: 0);
                return;
            }
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The client has closed the connection already.
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        socket.Dispose();
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => Close(abortive: true);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _input.Reader.CompleteAsync();
        if (Volatile.Read(ref _state) == (int)State.Serving)
        {
            // Sends the pending bytes before the socket closes. An abort interrupts this.
            await _output.DrainAsync();
            Close(abortive: false);
        }
        if (Volatile.Read(ref _state) == (int)State.Closed)
        {
            await _receiving;
            return;
        }
        // No receiver writes to the input any more: see TryTakeOver.
        _input.Writer.Complete();
    }

    ValueTask<bool> ISocketReader.ReadAsync(Socket socket)
    {
        lock (_reading)
        {
            if (Volatile.Read(ref _state) == (int)State.Taken)
                return new(false);
            var received = socket.Receive(_input.Writer.GetSpan(), SocketFlags.None, out var error);
            if (error is SocketError.WouldBlock or SocketError.IOPending)
                return new(true);
            if (error != SocketError.Success)
                throw new SocketException((int)error);
            if (received == 0)
                return new(false);
            _input.Writer.Advance(received);
        }
        var flush = _input.Writer.FlushAsync();
        return flush.IsCompletedSuccessfully ? new(IsWanted(flush.Result)) : WaitAsync(flush);
    }

    void ISocketReader.OnEnd(Exception? error)
    {
        _input.Writer.Complete(
            error switch
            {
                null => null,
                SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown } =>
                    new ConnectionResetException(error.Message, error),
                _ => new ConnectionAbortedException(error.Message, error),
            }
        );
        // On another thread, because callbacks of the token run synchronously inside Cancel.
        ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }

    private static bool IsWanted(FlushResult result) => !result.IsCompleted && !result.IsCanceled;

    private static async ValueTask<bool> WaitAsync(ValueTask<FlushResult> flush) => IsWanted(await flush);

    private void Close(bool abortive)
    {
        lock (_reading)
        {
            if (_state != (int)State.Serving)
                return;
            Volatile.Write(ref _state, (int)State.Closed);
        }
        Close(Socket, abortive);
        Open.Remove(taken: false);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
