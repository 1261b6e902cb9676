using System.Text;
using System.Threading.Channels;
using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="IBackplane"/>. A backplane whose store announces commits need not carry
/// commit notifications.</summary>
public abstract class BackplaneConformance : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HeardNode[] _nodes = [new(), new(), new()];
    private readonly IBackplane[] _backplanes = new IBackplane[3];

    /// <summary>Gets whether the backplane carries commit notifications. Default: true.</summary>
    protected virtual bool CarriesHints => true;

    /// <summary>Gets the token of the test.</summary>
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Creates the backplane of one node, attaches the node, and waits until it is connected.</summary>
    /// <param name="node">The node.</param>
    internal abstract ValueTask<IBackplane> ConnectAsync(IBackplaneNode node);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < 3; i++)
            _backplanes[i] = await ConnectAsync(_nodes[i]);
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Checks that a commit notification reaches all other nodes with its events, and not its sender.</summary>
    [Fact]
    public async Task A_hint_reaches_the_others_with_its_events_and_not_its_sender()
    {
        if (!CarriesHints)
            return;
        var origin = new EventOrigin("u1", "s1", null, "d1");
        DunlinEvent[] events = [Committed(5, "a", "{\n\"name\":\"Ünal \U0001F426\"}", origin), Committed(6, "b/c", "null", null)];
        _backplanes[0].Notify(_nodes[0], events);
        foreach (var node in _nodes[1..])
        {
            var heard = await node.Hints.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation);
            Assert.Equal(2, heard.Count);
            AssertSame(events[0], heard[0]);
            AssertSame(events[1], heard[1]);
        }
        Assert.False(_nodes[0].Hints.Reader.TryRead(out _));
    }

    /// <summary>Checks that commit notifications of one node arrive in the order of sending.</summary>
    [Fact]
    public async Task Hints_of_one_node_are_heard_in_the_order_in_which_it_gave_them()
    {
        if (!CarriesHints)
            return;
        for (var i = 1; i <= 500; i++)
            _backplanes[1].Notify(_nodes[1], [Committed(i, "a", "1", null)]);
        for (var i = 1; i <= 500; i++)
            Assert.Equal(
                i,
                (await _nodes[2].Hints.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation))[0].Position.Offset
            );
    }

    /// <summary>Checks that topics of any text, restrictions and all other extra values reach the other nodes.</summary>
    [Fact]
    public async Task Extra_values_of_an_event_reach_the_others()
    {
        var draft = new EventDraft(TopicName.ForText("https://example.com/é"), "t", new byte[] { 0, 10, 255 })
        {
            AlsoOn = [TopicName.Parse("a/b"), TopicName.ForText("urn:x")],
            IsRestricted = true,
            ForeignId = "urn:uuid:é",
            Format = EventFormat.Binary,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["retry"] = "50" },
        };
        var time = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var transient = DunlinEvent.Transient(draft, time);
        _backplanes[0].Transient(_nodes[0], transient);
        AssertSame(transient, await _nodes[1].Transients.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        if (!CarriesHints)
            return;
        DunlinEvent[] events = [Committed(5, "a", "1", null), new(Committed(6, "a", "1", null).Position, draft, time)];
        _backplanes[0].Notify(_nodes[0], events);
        var received = await _nodes[1].Hints.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation);
        Assert.Equal(2, received.Count);
        AssertSame(events[0], received[0]);
        AssertSame(events[1], received[1]);
    }

    /// <summary>Checks that a transient event reaches all other nodes unchanged, and not its sender.</summary>
    [Fact]
    public async Task A_transient_event_reaches_the_others_and_not_its_sender()
    {
        var draft = EventDraft.Of(TopicName.Parse("typing/1"), "typing", new { who = "Ünal" }, new EventOrigin("u1", ConnectionId: "c1"));
        var entry = DunlinEvent.Transient(draft, new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567));
        _backplanes[0].Transient(_nodes[0], entry);
        foreach (var node in _nodes[1..])
        {
            var heard = await node.Transients.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation);
            Assert.True(heard.IsTransient);
            AssertSame(entry, heard);
        }
        Assert.False(_nodes[0].Transients.Reader.TryRead(out _));
    }

    /// <summary>Checks that concurrent transient events of several nodes all arrive, in order per sender.</summary>
    [Fact]
    public async Task Concurrent_transient_events_all_arrive_in_order_per_sender()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(sender =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < 300; i++)
                            _backplanes[sender]
                                .Transient(
                                    _nodes[sender],
                                    DunlinEvent.Transient(
                                        EventDraft.Of(TopicName.Parse($"from/{sender}"), "t", i),
                                        DateTimeOffset.UnixEpoch
                                    )
                                );
                    })
                )
        );
        var heard = new List<DunlinEvent>();
        while (heard.Count < 600)
            heard.Add(await _nodes[2].Transients.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        foreach (var sender in heard.GroupBy(e => e.Topic.Value))
            Assert.Equal(
                Enumerable.Range(0, 300),
                sender.Select(e => int.Parse(Encoding.UTF8.GetString(e.Data.Span), System.Globalization.CultureInfo.InvariantCulture))
            );
    }

    private static DunlinEvent Committed(long offset, string topic, string data, EventOrigin? origin) =>
        new(
            new Position(7, offset),
            TopicName.Parse(topic),
            "test.happened",
            Encoding.UTF8.GetBytes(data),
            origin,
            new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero)
        );

    private static void AssertSame(DunlinEvent expected, DunlinEvent actual)
    {
        Assert.Equal(
            (expected.Position, expected.Topic, expected.Type, expected.Origin, expected.Time),
            (actual.Position, actual.Topic, actual.Type, actual.Origin, actual.Time)
        );
        Assert.Equal(expected.Data.ToArray(), actual.Data.ToArray());
        Assert.Equal((expected.IsRestricted, expected.ForeignId, expected.Format), (actual.IsRestricted, actual.ForeignId, actual.Format));
        Assert.Equal(expected.AlsoOn, actual.AlsoOn);
        Assert.Equal(expected.Headers.OrderBy(static header => header.Key), actual.Headers.OrderBy(static header => header.Key));
    }

    /// <summary>Records the notifications that a node receives.</summary>
    protected sealed class HeardNode : IBackplaneNode
    {
        /// <summary>Gets the received commit notifications with events.</summary>
        public Channel<IReadOnlyList<DunlinEvent>> Hints { get; } = Channel.CreateUnbounded<IReadOnlyList<DunlinEvent>>();

        /// <summary>Gets the received transient events.</summary>
        public Channel<DunlinEvent> Transients { get; } = Channel.CreateUnbounded<DunlinEvent>();

        /// <summary>Gets the received positions without events.</summary>
        public Channel<Position> Positions { get; } = Channel.CreateUnbounded<Position>();

        /// <inheritdoc/>
        public void OnCommitNotification(IReadOnlyList<DunlinEvent> committed) => Hints.Writer.TryWrite(committed);

        /// <inheritdoc/>
        public void OnReached(Position position) => Positions.Writer.TryWrite(position);

        /// <inheritdoc/>
        public void OnTransient(DunlinEvent entry) => Transients.Writer.TryWrite(entry);
    }
}
