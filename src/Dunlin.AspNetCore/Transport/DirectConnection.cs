using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Dunlin.Transport;

/// <summary>A connection of Kestrel whose socket an event stream can take over. States:</summary>
/// <code>
/// serving -> closed
/// serving -> taken (Kestrel's side ends; the new owner uses the socket, and may return it as another connection)
/// </code>
/// <remarks>
/// Invariant: the owner of the socket closes it exactly once. The owner is this connection and, after the take-over, the new owner. Later
/// calls of Kestrel then have no effect on the socket. The input of Kestrel's side is completed, so no reader of a request waits for bytes
/// that go to the new owner.
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
    private int _state; // see State

    // Whether bytes of the client are in the input but not visible to its reader yet.
    private bool _committing;

    private DirectConnection(Socket socket, DirectPort port, SocketReceiver? receiver = null)
        : base(Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture))
    {
        Socket = socket;
        Port = port;
        var options = port.Options;
        // The reader runs inline: the bytes arrive on a pool thread, and nothing else waits for that thread.
        _input = new Pipe(
            new PipeOptions(
                port.Pool,
                new CommittedScheduler(this),
                PipeScheduler.Inline,
                options.MaxReadBufferSize ?? 0,
                (options.MaxReadBufferSize ?? 0) / 2,
                useSynchronizationContext: false
            )
        );
        _output = new SocketPipeWriter(socket, this);
        _receiver = receiver ?? new SocketReceiver(socket, this);
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

    /// <summary>Gets what the connections of its listener share.</summary>
    public DirectPort Port { get; }

    /// <summary>Gets the counter of open sockets.</summary>
    public OpenSockets Open => Port.Open;

    /// <summary>Gets the receiver of the socket, for the owner that has taken it over.</summary>
    public SocketReceiver Receiver => _receiver;

    /// <inheritdoc/>
    public Socket Socket { get; }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool => Port.Pool;

    public static DirectConnection Start(Socket socket, DirectPort port)
    {
        if (socket.LocalEndPoint is System.Net.IPEndPoint)
            socket.NoDelay = port.Options.NoDelay;
        // A blocking socket would block the thread in a send that the TCP window does not accept.
        socket.Blocking = false;
        var connection = new DirectConnection(socket, port);
        connection._receiver.Start();
        return connection;
    }

    /// <summary>Creates a connection for a socket that was taken over and now waits for the next request of its client.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="port">What the connections of its listener share.</param>
    /// <param name="receiver">The receiver of the socket.</param>
    /// <param name="from">The current owner.</param>
    /// <param name="received">Bytes of the next request that have arrived already.</param>
    /// <param name="isStopped">Whether the owner has stopped the receiver because the client sent more bytes.</param>
    /// <returns>The connection, or null if the client has ended its side.</returns>
    public static DirectConnection? Restart(
        Socket socket,
        DirectPort port,
        SocketReceiver receiver,
        ISocketReader from,
        ReadOnlySpan<byte> received,
        bool isStopped
    )
    {
        var connection = new DirectConnection(socket, port, isStopped ? null : receiver);
        if (!received.IsEmpty)
        {
            connection._input.Writer.Write(received);
            // No reader waits yet and the bytes fit, so this completes synchronously.
            _ = connection._input.Writer.FlushAsync().AsTask();
        }
        if (isStopped)
            connection._receiver.Start();
        else if (!receiver.TryHandOver(from, connection))
        {
            connection._input.Writer.Complete();
            connection._input.Reader.Complete();
            return null;
        }
        return connection;
    }

    /// <summary>Takes the socket away from Kestrel, which then completes its side as if the connection had closed.</summary>
    /// <param name="owner">Receives the input and the end of the connection from now on. It must close the socket with
    /// <see cref="CloseTaken"/>.</param>
    /// <returns>False if the connection is closed or the client has ended it.</returns>
    /// <remarks>Only the writer may call this, after all written bytes are sent and the body of the request is read to its end. Kestrel
    /// reads the rest of a body after the response, and would not receive it.</remarks>
    public bool TryTakeOver(ISocketReader owner) => TryTakeOver(owner, withInput: false, out _, out _);

    /// <inheritdoc cref="TryTakeOver(ISocketReader)"/>
    /// <param name="owner">The new owner.</param>
    /// <param name="unsent">The bytes of the response that have been written but not sent.</param>
    /// <param name="received">The bytes of later requests that have arrived already.</param>
    /// <remarks>While the application handles a request without a body, Kestrel does not read the input.</remarks>
    public bool TryTakeOver(ISocketReader owner, out byte[] unsent, out byte[] received) =>
        TryTakeOver(owner, withInput: true, out unsent, out received);

    private bool TryTakeOver(ISocketReader owner, bool withInput, out byte[] unsent, out byte[] received)
    {
        unsent = received = [];
        lock (_reading)
        {
            if (_state != (int)State.Serving)
                return false;
            // On failure, Kestrel has been notified of the client's end and closes the socket as usual.
            if (!_receiver.TryHandOver(this, owner))
                return false;
            Volatile.Write(ref _state, (int)State.Taken);
            if (withInput)
                received = TakeReceived();
        }
        Open.Take();
        unsent = _output.CompleteUnsent();
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
            await _receiver.Completion;
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
            Volatile.Write(ref _committing, true);
        }
        var flush = _input.Writer.FlushAsync();
        Volatile.Write(ref _committing, false);
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

    // Requires _reading.
    private byte[] TakeReceived()
    {
        // The receiving thread is about to commit bytes that it has read: they belong to the new owner.
        for (var spin = new SpinWait(); Volatile.Read(ref _committing); )
            spin.SpinOnce();
        if (!_input.Reader.TryRead(out var read))
            return [];
        var received = read.Buffer.ToArray();
        _input.Reader.AdvanceTo(read.Buffer.End);
        return received;
    }

    /// <summary>Closes the socket unless another owner has taken it over.</summary>
    public void Close(bool abortive)
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

    /// <summary>Runs the reader of the input inline, after the bytes that it waits for have become visible.</summary>
    private sealed class CommittedScheduler(DirectConnection connection) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state)
        {
            Volatile.Write(ref connection._committing, false);
            action(state);
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
