using System.Threading.Channels;

namespace Dunlin.Client.Tests.Support;

/// <summary>The body of a scripted response: it receives bytes from a test, ends or breaks.</summary>
internal sealed class ScriptedBody : Stream
{
    private readonly Channel<byte[]> _chunks = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new(); // guards the fields below
    private TaskCompletionSource _drained = NewSignal();
    private ReadOnlyMemory<byte> _rest;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gets the number of bytes that the client has read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Sends bytes, and waits until the client has read them and asks for more, or has closed the stream.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        Task drained;
        lock (_lock)
        {
            if (_drained.Task.IsCompleted)
                _drained = NewSignal();
            drained = _drained.Task;
        }
        _chunks.Writer.TryWrite(bytes);
        await Task.WhenAny(drained, _closed.Task).WithinLimit();
    }

    /// <summary>Sends bytes without waiting.</summary>
    public void Post(byte[] bytes) => _chunks.Writer.TryWrite(bytes);

    /// <summary>Waits until the client asks for bytes, or has closed the stream.</summary>
    public Task WhenDrainedAsync()
    {
        lock (_lock)
            return Task.WhenAny(_drained.Task, _closed.Task).WithinLimit();
    }

    public void End() => _chunks.Writer.TryComplete();

    public void Break() => _chunks.Writer.TryComplete(new IOException("The connection was reset."));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // A read of zero bytes waits for data, like that of a socket.
        if (_rest.IsEmpty && !await NextAsync(cancellationToken))
            return 0;
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        BytesRead += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _closed.TrySetResult();
        base.Dispose(disposing);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (_chunks.Reader.TryRead(out var chunk))
        {
            _rest = chunk;
            return true;
        }
        var more = _chunks.Reader.WaitToReadAsync(cancellationToken);
        if (!more.IsCompleted)
        {
            lock (_lock)
                _drained.TrySetResult();
        }
        if (!await more || !_chunks.Reader.TryRead(out chunk))
            return false;
        _rest = chunk;
        return true;
    }
}
