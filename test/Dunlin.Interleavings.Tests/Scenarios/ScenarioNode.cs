using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.InMemory;
using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>One in-memory node on manual time, with one shard.</summary>
internal sealed class ScenarioNode
{
    private static readonly FanoutInstruments Instruments = new(new TestMeters());

    public ScenarioNode(int maxPendingBytes = 1_000_000)
    {
        var feed = new CommitFeed();
        Store = new InMemoryStore(feed, new StoreClock(Time), Options.Create(new RetentionOptions { Default = new RetentionRule() }));
        Wheel = new TimerWheel(Time, static error => throw new InvalidOperationException("A timer entry failed.", error));
        Fanout = new EventFanout(
            Store,
            feed,
            new InProcessBackplane(),
            Wheel,
            Time,
            Options.Create(new FanoutOptions { Shards = 1, MaxPendingBytes = maxPendingBytes }),
            Instruments,
            NullLogger<EventFanout>.Instance
        );
        Fanout.Begin();
    }

    public ManualTime Time { get; } = new();

    public InMemoryStore Store { get; }

    public TimerWheel Wheel { get; }

    public EventFanout Fanout { get; }

    public static Caller User(string id = "ann", string? session = null, string? device = null) =>
        new(id, id) { SessionId = session, DeviceId = device };

    public async Task PublishAsync(string value) => await Store.AppendAsync(EventDraft.Of(TopicName.Parse("a"), "e", value));

    public void PublishTransient(string value) => Fanout.PublishTransient(EventDraft.Of(TopicName.Parse("a"), "e", value));

    public EventStreamConnection Open(IFrameSink sink, Caller? caller = null, bool isPresent = false) =>
        Fanout.Open(
            new ConnectionRequest(caller ?? User(), [TopicName.Parse("a")], sink) { Heartbeat = TimeSpan.Zero, IsPresent = isPresent }
        );

    /// <summary>Opens a connection that is live when the preparation of the scenario is over.</summary>
    public async Task<EventStreamConnection> ConnectAsync(IFrameSink sink, Caller? caller = null, bool isPresent = false)
    {
        var connection = Open(sink, caller, isPresent);
        await Fanout.StartAsync(connection, default, Fanout.DeliveredHead);
        await Fanout.SettledAsync();
        return connection;
    }
}
