using System.Text;
using Dunlin.Client.Sse;
using Dunlin.Client.Streams;
using Dunlin.Fanout;
using Dunlin.Fuzz.Engine;
using Dunlin.Journal;
using Dunlin.Sse;
using Dunlin.Topics;

namespace Dunlin.Fuzz.Targets;

/// <summary>What clients and servers read from streams: server-sent events and WebSocket frames.</summary>
internal static class StreamTargets
{
    private const int MaxFrame = 1 << 20;
    private const int SmallFrame = 64;

    public static FuzzTarget Events() =>
        new ParserTarget(
            "client-stream",
            ReadEvents,
            "Dunlin.Client.Sse.",
            "Dunlin.Client.Streams.ControlFrame",
            "Dunlin.Fanout.FrameWriter"
        )
        {
            Words =
            [
                "data: ",
                "data:",
                "event: ",
                "id: ",
                "id: 0000002a-17",
                "topic: a/b",
                "also: a",
                "format: base64",
                "control: open",
                "retry: 1000",
                ":",
                "\n",
                "\r",
                "\r\n",
                "\n\n",
                "\u00ef\u00bb\u00bf",
                "\0",
                "{\"connectionId\":\"c\",\"position\":\"0000002a-1\",\"heartbeatSeconds\":15,\"reconnectInMs\":1e300}",
            ],
        };

    public static FuzzTarget WebSocket() =>
        new ParserTarget("websocket", ReadWebSocket, "Dunlin.Sse.WebSocketInput", "Dunlin.Sse.WebSocketFrames")
        {
            Words =
            [
                "\u0089\u0080\0\0\0\0",
                "\u0088\u0082\u0001\u0002\u0003\u0004\u0002\u00ea",
                "\u008a\u0080\0\0\0\0",
                "\u0081",
                "\u0089\u00fd",
                "\0\0\0\0",
            ],
            MaxLength = 512,
        };

    // The first byte selects the sizes of the chunks.
    private static void ReadEvents(byte[] input)
    {
        var (seed, bytes) = input.Length == 0 ? ((byte)0, input) : (input[0], input[1..]);
        var whole = Frames(bytes, _ => bytes.Length, MaxFrame);
        var random = new Random(seed);
        var chunked = Frames(bytes, _ => seed < 8 ? 1 : random.Next(1, seed), MaxFrame);
        FindingException.Require(whole == chunked, "chunks change the frames", $"{whole}\n---\n{chunked}");
        var expected = SseReference.Read(bytes);
        FindingException.Require(whole == expected, "frames differ from the standard", $"{whole}\n---\n{expected}");
        try
        {
            Frames(bytes, _ => seed % 7 + 1, SmallFrame);
        }
        catch (InvalidDataException)
        {
            // Longer than the limit.
        }
        ControlFrame.Read(bytes);
        WriteAndRead(bytes);
    }

    private static void WriteAndRead(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var data = Encoding.UTF8.GetBytes(text);
        ReadOnlyMemory<byte> frame;
        try
        {
            frame = FrameWriter.Encode(
                new Position(42, 17),
                writer =>
                {
                    writer.Name(text.Split('\n')[0]);
                    writer.Topic(TopicName.Parse("a/b"));
                    writer.Data(data);
                }
            );
        }
        catch (ArgumentException)
        {
            return; // A name that no frame can carry.
        }
        using var reader = new FrameReader(MaxFrame);
        Feed(reader, frame.Span);
        FindingException.Require(reader.TryRead(out var read), "written frame is not read", text);
        var lines = text.ReplaceLineEndings("\n");
        lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        FindingException.Require(
            Encoding.UTF8.GetString(read.Data!) == lines && read.Topic == "a/b" && read.Id == "0000002a-17" && read.Control is null,
            "written frame is read differently",
            text
        );
        FindingException.Require(!reader.TryRead(out _), "written frame is read as two", text);
    }

    private static string Frames(byte[] bytes, Func<int, int> size, int limit)
    {
        using var reader = new FrameReader(limit);
        var frames = new StringBuilder();
        for (var at = 0; at < bytes.Length; )
        {
            var count = Math.Min(size(at), bytes.Length - at);
            Feed(reader, bytes.AsSpan(at, count));
            at += count;
            while (reader.TryRead(out var frame))
                SseReference.Append(
                    frames,
                    frame.Type,
                    frame.Id,
                    frame.Topic,
                    frame.Control,
                    frame.Format,
                    frame.Also,
                    frame.Data is null ? null : Encoding.UTF8.GetString(frame.Data)
                );
        }
        return frames.Append(System.Globalization.CultureInfo.InvariantCulture, $"retry {reader.Retry?.TotalMilliseconds}").ToString();
    }

    private static void Feed(FrameReader reader, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var memory = reader.GetMemory().Span;
            var count = Math.Min(memory.Length, bytes.Length);
            bytes[..count].CopyTo(memory);
            reader.Advance(count);
            bytes = bytes[count..];
        }
    }

    private static void ReadWebSocket(byte[] input)
    {
        var whole = Pongs(input, input.Length);
        for (var size = 1; size < 4; size++)
            FindingException.Require(Pongs(input, size) == whole, "chunks change the frames", Convert.ToHexString(input));
        if (input.Length > 0)
        {
            var wire = new byte[input.Length + WebSocketFrames.Border];
            FindingException.Require(
                WebSocketFrames.Write(input, wire) <= wire.Length,
                "encoded frame is longer than its border",
                Convert.ToHexString(input)
            );
        }
    }

    private static string Pongs(byte[] bytes, int size)
    {
        var reader = new WebSocketInput();
        var log = new StringBuilder();
        for (var at = 0; at < bytes.Length; at += size)
            reader.Receive(bytes.AsSpan(at, Math.Min(size, bytes.Length - at)), pong => log.AppendLine(Convert.ToHexString(pong.Span)));
        return log.Append(reader.CloseCode).ToString();
    }
}
