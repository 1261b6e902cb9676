using System.Diagnostics;
using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Redis.Backplane;
using Dunlin.TestKit.Conformance;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Redis.Tests;

public sealed class RedisBackplaneTests : BackplaneConformance
{
    private readonly List<RedisBackplane> _backplanes = [];
    private readonly HeadOnlyJournal _journal = new();
    private RedisServer? _server;

    [Fact]
    public async Task A_commit_over_the_notification_limit_sends_its_position_only()
    {
        var (sender, hearer) = (new HeardNode(), new HeardNode());
        var first = await ConnectAsync(sender);
        await ConnectAsync(hearer);
        await hearer.Positions.Reader.ReadAsync(Cancellation);
        first.Notify(sender, [Committed(9, new byte[RedisDefaults.MaxHintBytes + 1])]);
        Assert.Equal(
            new Position(7, 9),
            await hearer.Positions.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancellation)
        );
    }

    [Fact]
    public async Task After_a_Redis_restart_the_journal_is_read_and_notifications_resume()
    {
        var (sender, hearer) = (new HeardNode(), new HeardNode());
        var first = await ConnectAsync(sender);
        await ConnectAsync(hearer);
        Assert.Equal(_journal.Head, await hearer.Positions.Reader.ReadAsync(Cancellation));
        await _server!.StopAsync();
        // Nobody listens, and the sender is neither delayed nor gets an error.
        first.Notify(sender, [Committed(1, new byte[1])]);
        _journal.Head = new Position(7, 1);
        await _server.StartAsync();
        Assert.Equal(
            _journal.Head,
            await hearer.Positions.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation)
        );
        // The node listens before it reads the head, so no commit can be missed between the two.
        await sender.Positions.Reader.ReadAsync(Cancellation);
        await sender.Positions.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        first.Notify(sender, [Committed(2, new byte[1])]);
        Assert.Equal(
            2,
            (await hearer.Hints.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancellation))[0]
                .Position
                .Offset
        );
    }

    [Fact]
    public async Task A_missing_Redis_blocks_nothing()
    {
        var node = new HeardNode();
        using var backplane = New($"127.0.0.1:{ServerProcess.FreePort()},connectTimeout=200");
        backplane.Attach(node);
        await backplane.ConnectAsync();
        backplane.Notify(node, [Committed(1, new byte[1])]);
        backplane.Transient(node, DunlinEvent.Transient(EventDraft.Of(TopicName.Parse("a"), "t", 1), DateTimeOffset.UnixEpoch));
        Assert.False(backplane.IsHearing);
    }

    [Fact]
    public void A_node_reads_only_heartbeats_of_its_own_messages()
    {
        var said = CommitNotificationCodec.Encode(new CommitNotification("node", new Position(7, 1), [Committed(1, [1])]));
        Assert.True(CommitNotificationCodec.IsEcho(said, "node"));
        Assert.False(CommitNotificationCodec.IsEcho(said, "nodf"));
        Assert.False(CommitNotificationCodec.IsEcho(said, "nod"));
        Assert.False(CommitNotificationCodec.IsEcho(said[..8], "node"));
        var beat = CommitNotificationCodec.Encode(new CommitNotification("node", default, [], 5));
        Assert.False(CommitNotificationCodec.IsEcho(beat, "node"));
        Assert.True(CommitNotificationCodec.Decode(beat) is { IsBeat: true, IsTransient: false, Number: 5 });
    }

    [Fact]
    public void A_traced_commit_carries_its_span_and_others_use_the_old_version()
    {
        var span = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var plain = new CommitNotification("node", new Position(7, 2), [Committed(1, [1, 2]), Committed(2, [3])]);
        var (older, traced) = (CommitNotificationCodec.Encode(plain), CommitNotificationCodec.Encode(plain with { Commit = span }));
        Assert.Equal((2, 3), (older[0], traced[0]));
        Assert.Null(CommitNotificationCodec.Decode(older)!.Commit);
        var decoded = CommitNotificationCodec.Decode(traced)!;
        Assert.Equal([1, 2], decoded.Events.Select(e => e.Position.Offset));
        Assert.Equal(
            (span.TraceId, span.SpanId, true),
            (decoded.Commit!.Value.TraceId, decoded.Commit.Value.SpanId, decoded.Commit.Value.IsRemote)
        );
        Assert.True(CommitNotificationCodec.IsEcho(traced, "node"));
        var headOnly = CommitNotificationCodec.Decode(
            CommitNotificationCodec.Encode(new CommitNotification("node", new Position(7, 2), [], Commit: span))
        )!;
        Assert.Equal((new Position(7, 2), span.SpanId), (headOnly.Through, headOnly.Commit!.Value.SpanId));
        for (var length = 0; length < traced.Length; length++)
            Assert.Null(CommitNotificationCodec.Decode(traced[..length]));
        var id = Convert.FromHexString(span.SpanId.ToHexString());
        traced.AsSpan(traced.AsSpan().IndexOf(id), id.Length).Clear();
        Assert.Null(CommitNotificationCodec.Decode(traced));
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    public void A_false_length_allocates_nothing_and_is_refused(int length)
    {
        var sent = CommitNotificationCodec.Encode(new CommitNotification("node", new Position(7, 1), [Committed(1, new byte[90])]));
        var at = sent.AsSpan().IndexOf((byte)90);
        using var prefix = new MemoryStream();
        using (var writer = new BinaryWriter(prefix))
            writer.Write7BitEncodedInt(length);
        byte[] broken = [.. sent[..at], .. prefix.ToArray(), .. sent[(at + 1)..]];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(CommitNotificationCodec.Decode(broken));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_notification_with_a_negative_offset_or_number_is_refused()
    {
        Assert.Null(
            CommitNotificationCodec.Decode(CommitNotificationCodec.Encode(new CommitNotification("node", new Position(7, -5), [])))
        );
        Assert.Null(
            CommitNotificationCodec.Decode(
                CommitNotificationCodec.Encode(new CommitNotification("node", new Position(7, 1), [Committed(1, [1]), Committed(2, [1])]))
            )
        );
        Assert.Null(CommitNotificationCodec.Decode(CommitNotificationCodec.Encode(new CommitNotification("node", default, [], -1))));
    }

    [Fact]
    public void The_highest_number_ends_and_a_negative_one_is_old()
    {
        var seen = new SeenNumbers(TimeProvider.System);
        Assert.False(seen.Add("a", -1));
        Assert.True(seen.Add("a", 1));
        Assert.True(seen.Add("a", long.MaxValue));
        Assert.False(seen.Add("a", long.MaxValue));
        Assert.False(seen.Add("a", 2));
        Assert.True(seen.Add("a", long.MaxValue - 1));
    }

    [Fact]
    public void A_number_is_new_once_within_the_window_and_never_before()
    {
        var seen = new SeenNumbers(TimeProvider.System);
        var random = TestKit.TestSeed.NewRandom(out _);
        var model = new HashSet<long>();
        long last = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var number = Math.Max(1, last + random.Next(-6_000, random.Next(100) == 0 ? 6_000 : 10));
            last = Math.Max(last, number);
            var isNew = seen.Add("a", number);
            Assert.Equal(number > last - 4_096 && model.Add(number), isNew);
        }
        Assert.True(seen.Add("b", last));
        for (var i = 0; i < 1_000; i++)
            Assert.True(seen.Add($"node-{i}", 1));
    }

    [Fact]
    public void An_invalid_notification_is_ignored()
    {
        var bytes = CommitNotificationCodec.Encode(
            new CommitNotification("node", new Position(7, 2), [Committed(1, [1, 2]), Committed(2, [3])])
        );
        Assert.Equal([1, 2], CommitNotificationCodec.Decode(bytes)!.Events.Select(e => e.Position.Offset));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(CommitNotificationCodec.Decode(bytes[..length]));
        Assert.Null(CommitNotificationCodec.Decode([.. bytes, 0]));
        Assert.Null(CommitNotificationCodec.Decode([1, .. bytes[1..]]));
        var random = TestKit.TestSeed.NewRandom(out _);
        for (var i = 0; i < 5_000; i++)
        {
            var broken = (byte[])bytes.Clone();
            broken[random.Next(broken.Length)] = (byte)random.Next(256);
            // Decodes to another notification or to none; never throws.
            CommitNotificationCodec.Decode(broken);
        }
    }

    internal override async ValueTask<IBackplane> ConnectAsync(IBackplaneNode node)
    {
        _server ??= await RedisServer.StartNewAsync();
        var backplane = New(_server.Endpoint);
        _backplanes.Add(backplane);
        backplane.Attach(node);
        await backplane.ConnectAsync();
        // On a busy machine the first subscription may time out. A node that receives its own heartbeats reads the head.
        await ((HeardNode)node).Positions.Reader.WaitToReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        return backplane;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var backplane in _backplanes)
            backplane.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private RedisBackplane New(string configuration)
    {
        var services = new ServiceCollection().AddSingleton<IJournal>(_journal).BuildServiceProvider();
        return new RedisBackplane(
            Options.Create(new RedisOptions { Configuration = configuration }),
            services,
            NullLogger<RedisBackplane>.Instance
        );
    }

    private static DunlinEvent Committed(long offset, byte[] data) =>
        new(new Position(7, offset), TopicName.Parse("a"), "t", data, null, DateTimeOffset.UnixEpoch);

    private static class RedisDefaults
    {
        public static readonly int MaxHintBytes = new RedisOptions().MaxHintBytes;
    }

    private sealed class HeadOnlyJournal : IJournal
    {
        public Position Head { get; set; } = new(7, 0);

        public ValueTask<IReadOnlyList<Position>> AppendAsync(
            IReadOnlyList<EventDraft> drafts,
            IdempotencyKey? idempotency,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();

        public ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
