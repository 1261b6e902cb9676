using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

public sealed class FrameTests
{
    [Fact]
    public void Every_event_decodes_to_one_equal_event_in_every_format()
    {
        var random = TestSeed.NewRandom(out _);
        for (var i = 0; i < 2_000; i++)
        {
            var entry = RandomEvent(random, i + 1);
            foreach (var format in new[] { WireFormats.Named, WireFormats.Typed, WireFormats.Envelope, WireFormats.Word("sync") })
            {
                var item = Assert.Single(SseParser.Create(new MemoryStream(entry.FrameFor(format).ToArray())).Enumerate());
                Assert.Equal(entry.Position.ToString(), item.EventId);
                Assert.Equal(ReferenceEquals(format, WireFormats.Named) ? entry.Type : "message", item.EventType);
                if (ReferenceEquals(format, WireFormats.Named))
                    AssertSameJson(Encoding.UTF8.GetString(entry.Data.Span), item.Data);
                else if (ReferenceEquals(format, WireFormats.Typed))
                    AssertSameJson(
                        Encoding.UTF8.GetString(entry.Data.Span),
                        JsonDocument.Parse(item.Data).RootElement.GetProperty("data").GetRawText()
                    );
                else if (ReferenceEquals(format, WireFormats.Envelope))
                    AssertSameJson(
                        Encoding.UTF8.GetString(entry.Data.Span),
                        JsonDocument.Parse(item.Data).RootElement.GetProperty("payload").GetRawText()
                    );
                else
                    Assert.Equal("sync", item.Data);
            }
        }
    }

    [Fact]
    public void An_envelope_contains_channel_type_payload_device_and_time()
    {
        var entry = new DunlinEvent(
            new Position(1, 7),
            TopicName.Parse("users/ann/timer"),
            "started",
            "{\"a\":1}"u8.ToArray(),
            new EventOrigin("ann", null, null, "phone"),
            new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero)
        );
        Assert.Equal(
            "id: 00000001-7\ndata: {\"channel\":\"timer\",\"type\":\"started\",\"payload\":{\"a\":1},\"sourceDeviceId\":\"phone\",\"timestamp\":\"2030-01-02T03:04:05+00:00\"}\n\n",
            Encoding.UTF8.GetString(entry.FrameFor(WireFormats.Envelope).Span)
        );
    }

    [Fact]
    public void A_format_may_encode_another_frame_while_it_writes_one()
    {
        var frame = FrameWriter.Encode(
            new Position(1, 7),
            outer =>
            {
                outer.Name("outer");
                outer.Data(FrameWriter.Encode(null, inner => inner.Data("inner")).Span[..^2]);
            }
        );
        Assert.Equal("id: 00000001-7\nevent: outer\ndata: data: inner\n\n", Encoding.UTF8.GetString(frame.Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not empty")]
    public void A_frame_that_was_not_completed_leaves_nothing_behind(string data)
    {
        Assert.Throws<InvalidOperationException>(() =>
            FrameWriter.Encode(
                new Position(1, 7),
                frame =>
                {
                    if (data.Length > 0)
                        frame.Data(data);
                    throw new InvalidOperationException();
                }
            )
        );
        Assert.True(FrameWriter.Encode(new Position(1, 8), _ => { }).IsEmpty);
        Assert.Equal("data: next\n\n", Encoding.UTF8.GetString(FrameWriter.Encode(null, frame => frame.Data("next")).Span));
    }

    [Fact]
    public void A_frame_allocates_its_own_bytes_only()
    {
        var (position, data) = (new Position(1, 7), new byte[300]);
        Action<FrameWriter> write = frame => frame.Data(data);
        var large = new byte[100_000];
        FrameWriter.Encode(position, frame => frame.Data(large)); // is not kept
        var length = FrameWriter.Encode(position, write).Length;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            FrameWriter.Encode(position, write);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, length, length + 32);
    }

    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("a\0")]
    public void An_event_name_cannot_break_a_frame(string name)
    {
        Assert.Throws<ArgumentException>(() => FrameWriter.Encode(null, f => f.Name(name)));
        Assert.Throws<Diagnostics.DunlinException>(() => new EventDraft(TopicName.Parse("t"), name, "1"u8.ToArray()));
    }

    [Theory]
    [InlineData("a\rid: 7", "data: a\ndata: id: 7\n\n")]
    [InlineData("a\r\nb", "data: a\ndata: b\n\n")]
    [InlineData("a\n\rb\r", "data: a\ndata: \ndata: b\ndata: \n\n")]
    public void A_line_break_in_data_begins_no_field(string data, string frame) =>
        Assert.Equal(frame, Encoding.UTF8.GetString(FrameWriter.Encode(null, f => f.Data(data)).Span));

    [Fact]
    public void A_format_that_writes_nothing_skips_the_event()
    {
        var entry = new DunlinEvent(new Position(1, 1), TopicName.Parse("t"), "x", "1"u8.ToArray(), null, default);
        Assert.True(entry.FrameFor(new Silent()).IsEmpty);
    }

    [Theory]
    [InlineData("00000001-0")]
    [InlineData("ffffffff-9223372036854775807")]
    public void A_position_round_trips(string text)
    {
        Assert.True(Position.TryParse(text, out var position));
        Assert.Equal(text, position.ToString());
        var bytes = new byte[Position.MaxLength];
        Assert.Equal(text, Encoding.ASCII.GetString(bytes, 0, position.Format(bytes)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1-1")]
    [InlineData("0000001x-1")]
    [InlineData("00000001-")]
    [InlineData("00000001--1")]
    [InlineData("00000001-+1")]
    [InlineData("00000001- 1")]
    [InlineData("00000001-9223372036854775808")]
    [InlineData("00000001_1")]
    [InlineData("0000002A-1")]
    [InlineData("00000001-01")]
    [InlineData("00000001-00")]
    [InlineData("00000001-1\0")]
    [InlineData("0000001\0-1")]
    public void An_invalid_position_is_rejected(string text) => Assert.False(Position.TryParse(text, out _));

    private static void AssertSameJson(string expected, string actual) =>
        Assert.True(
            JsonElement.DeepEquals(JsonDocument.Parse(expected).RootElement, JsonDocument.Parse(actual).RootElement),
            $"{expected} <> {actual}"
        );

    private static DunlinEvent RandomEvent(Random random, int offset)
    {
        string[] texts =
        [
            "plain",
            "two\nlines",
            "cr\rlf\r\nend",
            "nul\0",
            ":colon",
            " leading",
            "data: x",
            "\u2028\ufeff",
            "",
            "emoji 🐦",
            "\"quoted\"\\",
        ];
        var value = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [texts[random.Next(texts.Length)] + "k"] = texts[random.Next(texts.Length)],
            ["n"] = random.Next(),
        };
        var json = JsonSerializer.Serialize(
            value,
            new JsonSerializerOptions { WriteIndented = random.Next(2) == 0, NewLine = random.Next(2) == 0 ? "\n" : "\r\n" }
        );
        return new DunlinEvent(
            new Position((uint)random.Next(), offset),
            TopicName.Parse("t/" + random.Next(9)),
            "type." + random.Next(9),
            Encoding.UTF8.GetBytes(json),
            null,
            DateTimeOffset.UnixEpoch
        );
    }

    private sealed class Silent : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame) { }
    }
}
