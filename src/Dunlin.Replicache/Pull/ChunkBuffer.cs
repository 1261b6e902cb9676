using System.Buffers;
using System.IO.Pipelines;

namespace Dunlin.Replicache.Pull;

/// <summary>Collects bytes in rented chunks, so that a first pull of many megabytes allocates no large array. Not thread-safe.</summary>
internal sealed class ChunkBuffer : IBufferWriter<byte>, IDisposable
{
    private const int ChunkBytes = 64 * 1024;

    private readonly List<(byte[] Bytes, int Length)> _full = [];
    private byte[] _current = ArrayPool<byte>.Shared.Rent(ChunkBytes);
    private int _length;

    public bool IsEmpty => _length == 0 && _full.Count == 0;

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _current.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _current.AsSpan(_length);
    }

    public async ValueTask CopyToAsync(PipeWriter writer, CancellationToken cancellationToken)
    {
        foreach (var (bytes, length) in _full)
            await writer.WriteAsync(bytes.AsMemory(0, length), cancellationToken);
        if (_length > 0)
            await writer.WriteAsync(_current.AsMemory(0, _length), cancellationToken);
    }

    public void Dispose()
    {
        foreach (var (bytes, _) in _full)
            ArrayPool<byte>.Shared.Return(bytes);
        _full.Clear();
        ArrayPool<byte>.Shared.Return(_current);
        (_current, _length) = ([], 0);
    }

    private void Reserve(int sizeHint)
    {
        if (_current.Length - _length >= Math.Max(sizeHint, 1))
            return;
        _full.Add((_current, _length));
        (_current, _length) = (ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, ChunkBytes)), 0);
    }
}
