using Dunlin.Sse;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Frames of a WebSocket client, cut at every place.</summary>
public sealed class WebSocketInputTests
{
    private static readonly byte[] Mask = [0x37, 0xfa, 0x21, 0x3d];

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(125)]
    public void Pings_are_answered_with_their_payload_however_they_are_cut(int length)
    {
        var payload = Enumerable.Range(0, length).Select(static i => (byte)i).ToArray();
        byte[] sent = [.. Frame(0x89, payload), .. Frame(0x8A, [1, 2]), .. Frame(0x89, payload)];
        for (var cut = 0; cut <= sent.Length; cut++)
        {
            var (input, pongs) = (new WebSocketInput(), new List<byte[]>());
            input.Receive(sent.AsSpan(0, cut), pong => pongs.Add(pong.ToArray()));
            input.Receive(sent.AsSpan(cut), pong => pongs.Add(pong.ToArray()));
            Assert.Null(input.CloseCode);
            Assert.Equal(2, pongs.Count);
            Assert.All(pongs, pong => Assert.Equal([0x8A, (byte)length, .. payload], pong));
        }
    }

    [Fact]
    public void Frames_that_arrive_byte_by_byte_are_complete()
    {
        var (input, pongs) = (new WebSocketInput(), 0);
        foreach (var part in Enumerable.Repeat(Frame(0x89, [9, 8, 7]), 50).SelectMany(static frame => frame))
            input.Receive([part], _ => pongs++);
        Assert.Equal(50, pongs);
    }

    [Theory]
    [InlineData(new byte[0], 1005)]
    [InlineData(new byte[] { 3 }, 1002)]
    [InlineData(new byte[] { 0x03, 0xE8 }, 1000)]
    [InlineData(new byte[] { 0x03, 0xED }, 1002)]
    [InlineData(new byte[] { 0x0B, 0xB8, (byte)'x' }, 3000)]
    public void A_close_frame_is_answered_with_its_code(byte[] payload, int code) => Assert.Equal(code, CloseCode(Frame(0x88, payload)));

    [Theory]
    [InlineData(0x81, 1003)] // text
    [InlineData(0x01, 1003)] // the first fragment of a text
    [InlineData(0x82, 1003)] // binary
    [InlineData(0x80, 1002)] // a continuation of nothing
    [InlineData(0x83, 1002)] // a reserved opcode
    [InlineData(0x09, 1002)] // a fragmented ping
    [InlineData(0xC9, 1002)] // a reserved bit
    public void Other_frames_close_the_stream(byte first, int code) => Assert.Equal(code, CloseCode(Frame(first, [1])));

    [Fact]
    public void An_unmasked_or_oversized_control_frame_is_a_protocol_error()
    {
        Assert.Equal(1002, CloseCode([0x89, 0x00]));
        Assert.Equal(1002, CloseCode([0x89, 0x80 | 126, 0, 126, .. Mask]));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65_535, 4)]
    [InlineData(65_536, 10)]
    public void A_header_has_the_shortest_length_field(int length, int header)
    {
        var wire = new byte[length + WebSocketFrames.Border];
        var frame = Enumerable.Repeat((byte)'x', length).ToArray();
        Assert.Equal(header + length, WebSocketFrames.Write(frame, wire));
        Assert.Equal(0x81, wire[0]);
        Assert.Equal(frame, wire.AsSpan(header, length).ToArray());
    }

    private static int? CloseCode(byte[] bytes)
    {
        var input = new WebSocketInput();
        input.Receive(bytes, static _ => { });
        return input.CloseCode;
    }

    private static byte[] Frame(byte first, byte[] payload) =>
        [first, (byte)(0x80 | payload.Length), .. Mask, .. payload.Select(static (value, i) => (byte)(value ^ Mask[i & 3]))];
}
