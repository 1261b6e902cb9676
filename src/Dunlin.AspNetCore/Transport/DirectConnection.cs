using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Dunlin.Transport;

/// <summary>
/// One connection as Kestrel sees it. It is, in turn:
/// <code>
/// serving -> closed            serving -> taken over (Kestrel's side ends; the socket lives on with its new owner)
/// </code>
/// Invariant: the socket is closed exactly once, by whoever owns it: this connection, or after <see cref="TryTakeOver"/> the one
/// that took it. What Kestrel still does to a connection that was taken over reaches nobody, and its input has ended: nothing that
/// still reads a request there waits for bytes that go to the new owner.
/// </summary>
internal sealed class DirectConnection : DefaultConnectionContext, ISocketReader, IConnectionSocketFeature, IMemoryPoolFeature
{
    private static long _lastId = TimeProvider.System.GetUtcNow().Ticks;

    // Guards changes of _state. Held also while memory of the input is being filled: it may not be given back then.
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
        // The reader goes on where the bytes came in: that is a thread of the pool already, and nothing waits there meanwhile.
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

    /// <summary>Where the socket is counted.</summary>
    public OpenSockets Open { get; }

    /// <inheritdoc/>
    public Socket Socket { get; }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool { get; }

    public static DirectConnection Start(Socket socket, MemoryPool<byte> pool, SocketTransportOptions options, OpenSockets open)
    {
        if (socket.LocalEndPoint is System.Net.IPEndPoint)
            socket.NoDelay = options.NoDelay;
        // Without it a send that the window does not take would block the thread instead of telling.
        socket.Blocking = false;
        var connection = new DirectConnection(socket, pool, options, open);
        connection._receiving = connection._receiver.RunAsync();
        return connection;
    }

    /// <summary>Takes the socket away from Kestrel, which finishes its side as if the connection were over. Only when everything that
    /// was written has been sent, by the one who writes, and when the body of the request has been read to its end: Kestrel reads what is
    /// left of a body after the response, and would not find it here.</summary>
    /// <param name="owner">Told of the peer's end from now on; closes the socket with <see cref="CloseTaken"/>.</param>
    /// <returns>False where the connection is closed, or the peer has ended it.</returns>
    public bool TryTakeOver(ISocketReader owner)
    {
        lock (_reading)
        {
            if (_state != (int)State.Serving)
                return false;
            // Where it fails, the peer's end has been told to Kestrel, which closes the socket as ever.
            if (!_receiver.TryHandOver(this, owner))
                return false;
            Volatile.Write(ref _state, (int)State.Taken);
        }
        Open.Take();
        _output.Complete();
        // On a thread of its own, because whoever reads the input goes on inside the call.
        ThreadPool.UnsafeQueueUserWorkItem(static input => input.Complete(), _input.Writer, preferLocal: false);
        return true;
    }

    /// <summary>Closes a socket that was taken over. Call once.</summary>
    public static void CloseTaken(Socket socket, OpenSockets open, bool abortive)
    {
        Close(socket, abortive);
        open.Remove(taken: true);
    }

    /// <summary>Closes a socket that nobody owns yet, or any more.</summary>
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
            // The peer was quicker.
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
            // What the peer has not taken yet goes out before the socket is shut; an abort ends it too.
            await _output.DrainAsync();
            Close(abortive: false);
        }
        if (Volatile.Read(ref _state) == (int)State.Closed)
        {
            await _receiving;
            return;
        }
        // Nothing fills it any more: see TryTakeOver.
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
        // Whoever listens to the token goes on on a thread of its own.
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
