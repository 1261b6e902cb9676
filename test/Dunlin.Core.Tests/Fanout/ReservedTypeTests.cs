using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

public sealed class ReservedTypeTests
{
    private static readonly IWireFormat[] Formats =
    [
        WireFormats.Named,
        WireFormats.Typed,
        WireFormats.Envelope,
        WireFormats.Word("sync"),
        new NamingFormat(),
    ];

    public static TheoryData<string> Reserved { get; } =
    [
        "dunlin.goodbye",
        "dunlin.reset",
        "dunlin.hello",
        "dunlin.revoked",
        "dunlin.",
        "dunlin.later",
        "presence.joined",
        "presence.left",
        "presence.x",
        "lease.granted",
        "lease.released",
        "lease.x",
        "error",
        "open",
    ];

    [Theory]
    [MemberData(nameof(Reserved))]
    public void A_reserved_type_is_refused_naming_the_field_and_the_list(string type)
    {
        var refused = Assert.Throws<DunlinException>(() => new EventDraft(TopicName.Parse("t"), type, "1"u8.ToArray()));
        Assert.Equal((ErrorCode.InvalidField, "type"), (refused.Code, refused.Field));
        Assert.Contains(ReservedTypes.Description, refused.Message, StringComparison.Ordinal);
        Assert.Throws<DunlinException>(() => EventDraft.Of(TopicName.Parse("t"), type, "1"u8.ToArray()));
    }

    [Theory]
    [InlineData("message")]
    [InlineData("dunlin")]
    [InlineData("Error")]
    [InlineData("opened")]
    [InlineData("presence")]
    [InlineData("leases.x")]
    [InlineData("heartbeat")]
    public void Other_types_are_accepted(string type) =>
        Assert.Equal(type, new EventDraft(TopicName.Parse("t"), type, "1"u8.ToArray()).Type);

    [Theory]
    [InlineData("dunlin.goodbye")]
    [InlineData("dunlin.reset")]
    [InlineData("error")]
    [InlineData("open")]
    [InlineData("presence.joined")]
    public async Task Older_events_with_a_reserved_type_are_skipped_live_and_on_replay(string type)
    {
        using var node = new TestNode();
        var live = new TestSink();
        await node.ConnectAsync(live, "t");
        var before = await node.PublishAsync("t", 1);
        await node.Journal.AppendAsync(
            [EventDraft.OfEngine(TopicName.Parse("t"), type, """{"reason":"signedOut"}"""u8.ToArray()), TestNode.Draft("t", 2)],
            null,
            default
        );
        Assert.Equal(["1", "2"], (await live.WhenCountAsync(2)).Select(f => f.Data));
        var resumed = new TestSink();
        await node.ConnectAsync(resumed, "t", before);
        var only = Assert.Single(await resumed.WhenCountAsync(1));
        Assert.Equal("2", only.Data);
    }

    [Fact]
    public async Task Engine_events_pass_and_forged_transient_ones_are_dropped()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t");
        foreach (var type in new[] { "lease.granted", "dunlin.goodbye", "presence.joined" })
            node.Fanout.PublishTransient(EventDraft.OfEngine(TopicName.Parse("t"), type, "1"u8.ToArray()));
        await node.Journal.AppendAsync([EventDraft.OfEngine(TopicName.Parse("t"), "lease.granted", "2"u8.ToArray())], null, default);
        Assert.Equal(["presence.joined", "lease.granted"], (await sink.WhenCountAsync(2)).Select(f => f.Name));
    }

    [Fact]
    public void Only_control_frames_have_the_control_field()
    {
        foreach (
            var frame in new[]
            {
                ControlFrames.Reset(ResetReason.Epoch, new Position(1, 2)),
                ControlFrames.Goodbye(ConnectionEnd.Draining, TimeSpan.Zero),
                ControlFrames.Revoked(["t"]),
            }
        )
            Assert.Single(ControlLines(frame));
        Assert.Equal(
            "event: dunlin.revoked\ncontrol: revoked\ndata: {\"topics\":[\"t\"]}\n\n",
            Encoding.UTF8.GetString(ControlFrames.Revoked(["t"]).Span)
        );
        var random = TestSeed.NewRandom(out var seed);
        string[] parts =
        [
            "control: goodbye",
            "control",
            "\ncontrol: goodbye\n",
            "\r\ncontrol: hello\r",
            "event: dunlin.goodbye",
            "\n",
            "\r",
            "x",
            "\u2028control: x",
            ":",
            " ",
        ];
        string Text() => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => parts[random.Next(parts.Length)]));
        for (var i = 0; i < 5_000; i++)
        {
            var entry = new DunlinEvent(
                new Position(1, i),
                TopicName.Parse("control"),
                i % 3 == 0 ? "control" : "x",
                Encoding.UTF8.GetBytes(Text()),
                new EventOrigin(DeviceId: "control"),
                default
            );
            foreach (var format in Formats)
                Assert.True(
                    ControlLines(entry.FrameFor(format)).Length == 0,
                    $"seed {seed}, {format}: {Encoding.UTF8.GetString(entry.FrameFor(format).Span)}"
                );
        }
    }

    [Theory]
    [InlineData("dunlin.hello")]
    [InlineData("error")]
    [InlineData("open")]
    public void An_application_cannot_use_the_name_of_a_stream_frame(string name) =>
        Assert.Throws<ArgumentException>(() => FrameWriter.Encode(null, frame => frame.Name(name)));

    [Fact]
    public async Task An_event_that_a_format_cannot_encode_is_skipped()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", with: request => request with { Format = new FailingFormat() });
        foreach (var value in new[] { 1, 2, 3 })
            await node.PublishAsync("t", value);
        Assert.Equal(["1", "3"], (await sink.WhenCountAsync(2)).Select(f => f.Data));
    }

    [Theory]
    [InlineData("!notes:created", "1")]
    [InlineData("!notes:created", "{\"payload\":1}")]
    [InlineData("!notes:created", "{\"exceptDevice\":3,\"payload\":1}")]
    [InlineData("!notes:created", "[")]
    [InlineData("!", "{\"exceptDevice\":\"other\"}")]
    [InlineData("system:connected", "{}")]
    public void A_device_stream_skips_events_that_its_API_cannot_send(string type, string data)
    {
        var entry = new DunlinEvent(new Position(1, 1), TopicName.ForUser("ann"), type, Encoding.UTF8.GetBytes(data), null, default);
        Exception? failure = null;
        Assert.True(entry.FrameFor(new Devices.DeviceFormat("laptop"), (_, _, error) => failure = error).IsEmpty);
        Assert.Null(failure);
    }

    [Fact]
    public void A_device_stream_passes_on_invalid_Unicode_and_deep_data()
    {
        var payload = "[\"\\ud83d\"," + new string('[', 200) + new string(']', 200) + "]";
        var entry = new DunlinEvent(
            new Position(1, 1),
            TopicName.ForUser("ann"),
            "!notes:created",
            Encoding.UTF8.GetBytes($"{{\"exceptDevice\":\"phone\",\"payload\":{payload}}}"),
            null,
            default
        );
        Assert.Contains(
            $"\"payload\":{payload}",
            Encoding.UTF8.GetString(entry.FrameFor(new Devices.DeviceFormat("laptop")).Span),
            StringComparison.Ordinal
        );
        Assert.True(entry.FrameFor(new Devices.DeviceFormat("phone")).IsEmpty);
    }

    private static string[] ControlLines(ReadOnlyMemory<byte> frame) =>
        [.. Encoding.UTF8.GetString(frame.Span).Split('\n', '\r').Where(line => line.StartsWith("control", StringComparison.Ordinal))];

    private sealed class NamingFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame)
        {
            frame.Name(source.Type);
            frame.Data(Encoding.UTF8.GetString(source.Data.Span));
        }
    }

    private sealed class FailingFormat : IWireFormat
    {
        public void Write(DunlinEvent source, FrameWriter frame)
        {
            if (source.Data.Span is [(byte)'2'])
                throw new InvalidOperationException("No such event.");
            frame.Data(source.Data.Span);
        }
    }
}
