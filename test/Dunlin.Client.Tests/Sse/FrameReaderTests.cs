using System.Text;
using System.Text.Json;
using Dunlin.Client.Sse;
using Dunlin.Client.Streams;
using Dunlin.TestKit;

namespace Dunlin.Client.Tests.Sse;

/// <summary>Runs the vectors of <c>docs/spec/event-stream-vectors.json</c>.</summary>
public sealed class FrameReaderTests
{
    private const int Limit = 64 * 1024;

    private static readonly Dictionary<string, JsonElement> Vectors = JsonDocument
        .Parse(Repository.Read("docs/spec/event-stream-vectors.json"))
        .RootElement.GetProperty("vectors")
        .EnumerateArray()
        .ToDictionary(vector => vector.GetProperty("name").GetString()!);

    public static TheoryData<string> Names => [.. Vectors.Keys];

    [Fact]
    public void Control_data_that_is_not_UTF_8_is_read_as_empty()
    {
        byte[] data = [.. "{\"connectionId\":\""u8, 0xe8, .. "\"}"u8];
        Assert.Equal(ControlFrame.Read("{}"u8), ControlFrame.Read(data));
        Assert.Equal(ControlFrame.Read("{}"u8), ControlFrame.Read("{\"reason\":\"\\ud83d\"}"u8));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Vector_is_read_in_one_chunk_split_anywhere_and_byte_by_byte(string name)
    {
        var vector = Vectors[name];
        var bytes = BytesOf(vector);
        var expected = Expected(vector);
        Assert.Equal(expected, Read([bytes]));
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(expected, Read([bytes[..cut], bytes[cut..]]));
        Assert.Equal(expected, Read(bytes.Select(b => new[] { b })));
    }

    [Fact]
    public void Further_topics_and_format_belong_to_their_own_event()
    {
        using var reader = new FrameReader(Limit);
        Feed(reader, "topic: a\nalso: b\nalso: #\u00E9\nformat: base64\ndata: AP8=\n\ndata: 2\n\n"u8);
        Assert.True(reader.TryRead(out var frame));
        Assert.Equal(["b", "#é"], frame.Also);
        Assert.Equal(("a", "base64"), (frame.Topic, frame.Format));
        Assert.True(reader.TryRead(out frame));
        Assert.Null(frame.Also);
        Assert.Null(frame.Format);
    }

    [Fact]
    public void Block_with_only_an_id_is_returned_without_data()
    {
        using var reader = new FrameReader(Limit);
        Feed(reader, "id: 0000002a-7\n\n"u8);
        Assert.True(reader.TryRead(out var frame));
        Assert.Equal(("0000002a-7", (byte[]?)null), (frame.Id, frame.Data));
        Assert.True(reader.IsEmpty);
    }

    [Fact]
    public void Topic_and_control_belong_to_their_block_only()
    {
        using var reader = new FrameReader(Limit);
        Feed(reader, "topic: a/b\ncontrol: hello\ndata: 1\n\ndata: 2\n\n"u8);
        Assert.True(reader.TryRead(out var first));
        Assert.True(reader.TryRead(out var second));
        Assert.Equal(("a/b", "hello"), (first.Topic, first.Control));
        Assert.Equal((null, (string?)null), (second.Topic, second.Control));
    }

    [Theory]
    [InlineData("data: ")]
    [InlineData(": ")]
    [InlineData("x")]
    public void Line_beyond_the_limit_is_refused(string field)
    {
        using var reader = new FrameReader(2048);
        Feed(reader, Encoding.ASCII.GetBytes(field + new string('x', 4096)));
        var error = Assert.Throws<InvalidDataException>(() => reader.TryRead(out _));
        Assert.Contains("MaxEventBytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Event_of_many_lines_beyond_the_limit_is_refused()
    {
        using var reader = new FrameReader(2048);
        var line = Encoding.ASCII.GetBytes("data: " + new string('x', 1000) + "\n");
        Feed(reader, line);
        Assert.False(reader.TryRead(out _));
        Feed(reader, line);
        Assert.False(reader.TryRead(out _));
        Feed(reader, line);
        Assert.Throws<InvalidDataException>(() => reader.TryRead(out _));
    }

    private static string Expected(JsonElement vector)
    {
        var events = vector
            .GetProperty("events")
            .EnumerateArray()
            .Select(e =>
                Line(
                    e.GetProperty("type").GetString()!,
                    e.GetProperty("data").GetString()!,
                    e.GetProperty("lastEventId").GetString()!,
                    e.TryGetProperty("control", out var control) ? control.GetString() : null
                )
            );
        var retry = vector.GetProperty("retry");
        return Result(
            events,
            retry.ValueKind == JsonValueKind.Null ? null : retry.GetInt32(),
            vector.GetProperty("lastEventId").GetString()!
        );
    }

    private static string Read(IEnumerable<byte[]> chunks)
    {
        using var reader = new FrameReader(Limit);
        var events = new List<string>();
        foreach (var chunk in chunks)
        {
            Feed(reader, chunk);
            while (reader.TryRead(out var frame))
            {
                if (frame.Data is { } data)
                    events.Add(Line(frame.Type, Encoding.UTF8.GetString(data), frame.Id, frame.Control));
            }
        }
        return Result(events, (int?)reader.Retry?.TotalMilliseconds, reader.LastEventId);
    }

    private static string Line(string type, string data, string id, string? control) =>
        JsonSerializer.Serialize(
            new
            {
                type,
                data,
                id,
                control,
            }
        );

    private static string Result(IEnumerable<string> events, int? retry, string lastEventId) =>
        string.Join('\n', [.. events, $"retry {retry}", $"id {lastEventId}"]);

    private static void Feed(FrameReader reader, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var memory = reader.GetMemory();
            var count = Math.Min(memory.Length, bytes.Length);
            bytes[..count].CopyTo(memory.Span);
            reader.Advance(count);
            bytes = bytes[count..];
        }
    }

    private static byte[] BytesOf(JsonElement vector) =>
        vector.TryGetProperty("bytesBase64", out var base64)
            ? base64.GetBytesFromBase64()
            : Encoding.UTF8.GetBytes(vector.GetProperty("text").GetString()!);
}
