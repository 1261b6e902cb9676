using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Dunlin.Transport;

/// <summary>Sends on the caller's thread during the flush. Bytes that the socket does not accept are sent later, and the flush completes
/// then. One writer at a time; a write may follow a flush that has not completed.</summary>
/// <remarks>Kestrel's own transport dispatches each flush to another thread. For a frame to a thousand connections, this costs more than
/// the system call. The writer holds memory only between a write and its flush.</remarks>
internal sealed class SocketPipeWriter(Socket socket, DirectConnection connection) : PipeWriter
{
    private const int MinBuffer = 4_096;

    private readonly Lock _gate = new(); // guards all fields
    private byte[]? _buffer; // written but not flushed
    private int _length;
    private bool _sending; // an incomplete flush is sending
    private bool _flushAgain; // another flush was requested while sending
    private bool _closed;
    private TaskCompletionSource<FlushResult>? _waiter;
    private Task _send = Task.CompletedTask;

    /// <summary>Gets the connection of this output.</summary>
    public DirectConnection Connection => connection;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes
    {
        get
        {
            lock (_gate)
                return _length;
        }
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (_gate)
            return Room(sizeHint).AsMemory(_length);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        lock (_gate)
            return Room(sizeHint).AsSpan(_length);
    }

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)((_buffer?.Length ?? 0) - _length));
            _length += bytes;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        byte[] buffer;
        int length;
        lock (_gate)
        {
            if (_closed)
                return new(new FlushResult(isCanceled: false, isCompleted: true));
            if (_sending)
            {
                _flushAgain = true;
                return new((_waiter ??= NewWaiter()).Task);
            }
            if (_buffer is null || _length == 0)
                return default;
            (buffer, length) = Take();
            _sending = true;
        }
        var sent = Send(buffer.AsSpan(0, length), out var error);
        if (error == SocketError.Success && sent == length)
            return Sent(buffer);
        if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.IOPending))
        {
            Close(buffer);
            return new(new FlushResult(isCanceled: false, isCompleted: true));
        }
        return SendRest(buffer, error == SocketError.Success ? sent : 0, length);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            _waiter?.TrySetResult(new FlushResult(isCanceled: true, isCompleted: false));
            _waiter = null;
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            _closed = true;
            Return(_buffer);
            _buffer = null;
            _length = 0;
        }
    }

    /// <summary>Completes the writer and returns the bytes that were written but not flushed, such as the head of a response.</summary>
    public byte[] CompleteUnsent()
    {
        lock (_gate)
        {
            var unsent = _buffer.AsSpan(0, _length).ToArray();
            Complete();
            return unsent;
        }
    }

    /// <summary>Returns a task that completes when no send is in progress.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
            return _send;
    }

    // An abort on another thread may have closed the socket. A writer learns of it by a completed flush, as of a client that has gone.
    private int Send(ReadOnlySpan<byte> bytes, out SocketError error)
    {
        try
        {
            return socket.Send(bytes, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            error = SocketError.ConnectionAborted;
            return 0;
        }
    }

    private static TaskCompletionSource<FlushResult> NewWaiter() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Return(byte[]? buffer)
    {
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private byte[] Room(int sizeHint)
    {
        var needed = _length + Math.Max(sizeHint, 1);
        if (_buffer is not null && needed <= _buffer.Length)
            return _buffer;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinBuffer, _buffer is null ? needed : Math.Max(needed, _buffer.Length * 2)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        Return(_buffer);
        return _buffer = larger;
    }

    private (byte[] Buffer, int Length) Take()
    {
        var taken = (_buffer!, _length);
        _buffer = null;
        _length = 0;
        return taken;
    }

    private ValueTask<FlushResult> Sent(byte[] buffer)
    {
        lock (_gate)
        {
            Return(buffer);
            if (_flushAgain && _length > 0)
            {
                _flushAgain = false;
                var (next, length) = Take();
                _send = SendRestAsync(next, 0, length);
                return new((_waiter ??= NewWaiter()).Task);
            }
            _sending = _flushAgain = false;
            _waiter?.TrySetResult(default);
            _waiter = null;
            return default;
        }
    }

    private ValueTask<FlushResult> SendRest(byte[] buffer, int from, int length)
    {
        lock (_gate)
        {
            var waiter = _waiter ??= NewWaiter();
            _send = SendRestAsync(buffer, from, length);
            return new(waiter.Task);
        }
    }

    private async Task SendRestAsync(byte[] buffer, int from, int length)
    {
        try
        {
            while (true)
            {
                while (from < length)
                    from += await socket.SendAsync(buffer.AsMemory(from, length - from));
                Return(buffer);
                lock (_gate)
                {
                    if (!_flushAgain || _length == 0 || _closed)
                    {
                        _sending = _flushAgain = false;
                        _waiter?.TrySetResult(new FlushResult(isCanceled: false, isCompleted: _closed));
                        _waiter = null;
                        return;
                    }
                    _flushAgain = false;
                    (buffer, length) = Take();
                    from = 0;
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Close(buffer);
        }
    }

    private void Close(byte[] buffer)
    {
        lock (_gate)
        {
            Return(buffer);
            _closed = true;
            _sending = _flushAgain = false;
            _waiter?.TrySetResult(new FlushResult(isCanceled: false, isCompleted: true));
            _waiter = null;
        }
    }
}
