using System.Buffers.Binary;
using Dunlin.Fanout;

namespace Dunlin.Sse;

/// <summary>Encodes frames of a WebSocket server (RFC 6455, section 5): complete, unmasked, without extensions.</summary>
internal static class WebSocketFrames
{
    /// <summary>The maximum size of a header in bytes.</summary>
    public const int Border = 10;

    /// <summary>The maximum payload of a control frame in bytes (RFC 6455, section 5.5).</summary>
    public const int MaxControl = 125;

    public const int NormalClosure = 1000;
    public const int GoingAway = 1001;
    public const int ProtocolError = 1002;
    public const int UnsupportedData = 1003;
    public const int NoStatus = 1005;
    public const int InternalError = 1011;

    // The registry of close codes at IANA: 3000 Unauthorized, 3003 Forbidden.
    public const int Unauthorized = 3000;
    public const int Forbidden = 3003;

    private const byte Final = 0x80;
    private const byte Text = 0x1;
    private const byte CloseCode = 0x8;
    private const byte PongCode = 0xA;

    /// <summary>A heartbeat: a ping, and a comment that code in a browser receives.</summary>
    public static readonly ReadOnlyMemory<byte> Heartbeat = new byte[]
    {
        Final | 0x9,
        0,
        Final | Text,
        3,
        (byte)':',
        (byte)'\n',
        (byte)'\n',
    };

    /// <summary>Writes a frame of the stream as a text message. Copies bytes that are WebSocket frames already.</summary>
    /// <remarks>Encoded frames begin with a control frame, so with 0x88 to 0x8A. UTF-8 text never begins with such a byte.</remarks>
    public static int Write(ReadOnlySpan<byte> frame, Span<byte> wire)
    {
        if (frame[0] is >= (Final | CloseCode) and <= (Final | PongCode))
        {
            frame.CopyTo(wire);
            return frame.Length;
        }
        wire[0] = Final | Text;
        var header = 2;
        if (frame.Length <= MaxControl)
        {
            wire[1] = (byte)frame.Length;
        }
        else if (frame.Length <= ushort.MaxValue)
        {
            wire[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(wire[2..], (ushort)frame.Length);
            header = 4;
        }
        else
        {
            wire[1] = 127;
            BinaryPrimitives.WriteUInt64BigEndian(wire[2..], (ulong)frame.Length);
            header = 10;
        }
        frame.CopyTo(wire[header..]);
        return header + frame.Length;
    }

    public static byte[] Pong(ReadOnlySpan<byte> payload) => [Final | PongCode, (byte)payload.Length, .. payload];

    /// <summary>Encodes a close frame; without a code for <see cref="NoStatus"/>.</summary>
    public static byte[] Close(int code) =>
        code == NoStatus ? [Final | CloseCode, 0] : [Final | CloseCode, 2, (byte)(code >> 8), (byte)code];

    /// <summary>Returns the close code for the end of a connection.</summary>
    public static int CodeOf(ConnectionEnd end) =>
        end switch
        {
            ConnectionEnd.Draining => GoingAway,
            ConnectionEnd.TokenExpired => Unauthorized,
            ConnectionEnd.SignedOut or ConnectionEnd.Revoked => Forbidden,
            ConnectionEnd.Failed => InternalError,
            _ => NormalClosure,
        };
}
