using System.Buffers.Binary;

namespace Dunlin.Sse;

/// <summary>Parses the frames that a WebSocket client sends to a stream. Not thread-safe.</summary>
/// <remarks>RFC 6455, section 5. A stream accepts control frames only, so the parser keeps at most one of them. Between frames it holds no
/// memory.</remarks>
internal sealed class WebSocketInput
{
    private const int MaxFrame = 2 + 4 + WebSocketFrames.MaxControl;

    private byte[]? _partial;
    private int _length;

    /// <summary>Gets the code to close with; null while the client may continue.</summary>
    public int? CloseCode { get; private set; }

    /// <summary>Parses received bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="pong">Called with the encoded answer to each ping.</param>
    public void Receive(ReadOnlySpan<byte> bytes, Action<ReadOnlyMemory<byte>> pong)
    {
        while (!bytes.IsEmpty && CloseCode is null)
        {
            if (_partial is null && TryTake(ref bytes, pong))
                continue;
            if (CloseCode is not null)
                return;
            _partial ??= new byte[MaxFrame];
            var count = Math.Min(bytes.Length, MaxFrame - _length);
            bytes[..count].CopyTo(_partial.AsSpan(_length));
            ReadOnlySpan<byte> joined = _partial.AsSpan(0, _length + count);
            var before = joined.Length;
            if (TryTake(ref joined, pong))
            {
                // The rest of the copied bytes belongs to later frames.
                bytes = bytes[(before - joined.Length - _length)..];
                (_partial, _length) = (null, 0);
            }
            else
            {
                _length += count;
                bytes = bytes[count..];
            }
        }
    }

    /// <returns>False if the first frame is not complete or not allowed.</returns>
    private bool TryTake(ref ReadOnlySpan<byte> bytes, Action<ReadOnlyMemory<byte>> pong)
    {
        if (bytes.Length < 2)
            return false;
        var (first, second) = (bytes[0], bytes[1]);
        var length = second & 0x7f;
        var isFinal = (first & 0x80) != 0;
        var code = first & 0x0f;
        CloseCode = (first & 0x70, second & 0x80, code) switch
        {
            (not 0, _, _) or (_, 0, _) => WebSocketFrames.ProtocolError,
            (_, _, 0x1 or 0x2) => WebSocketFrames.UnsupportedData,
            (_, _, 0x8 or 0x9 or 0xA) when isFinal && length <= WebSocketFrames.MaxControl => null,
            _ => WebSocketFrames.ProtocolError,
        };
        if (CloseCode is not null || bytes.Length < 6 + length)
            return false;
        Span<byte> payload = stackalloc byte[length];
        for (var i = 0; i < length; i++)
            payload[i] = (byte)(bytes[6 + i] ^ bytes[2 + (i & 3)]);
        bytes = bytes[(6 + length)..];
        if (code == 0x9)
            pong(WebSocketFrames.Pong(payload));
        else if (code == 0x8)
            CloseCode = CodeOf(payload);
        return true;
    }

    // RFC 6455, section 7.4: codes that a client may send.
    private static int CodeOf(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
            return WebSocketFrames.NoStatus;
        if (payload.Length == 1)
            return WebSocketFrames.ProtocolError;
        var code = BinaryPrimitives.ReadUInt16BigEndian(payload);
        return code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999) ? code : WebSocketFrames.ProtocolError;
    }
}
