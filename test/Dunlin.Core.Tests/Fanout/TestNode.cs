using System.Diagnostics.Metrics;
using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>One node in memory, on manual time: store, fan-out and wheel, without HTTP.</summary>
internal sealed class TestNode : IDisposable
{
    private readonly ServiceProvider _meters = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public TestNode(
        Action<FanoutOptions>? configure = null,
        Func<IJournal, IJournal>? decorate = null,
        IBackplane? backplane = null,
        RetentionOptions? retention = null
    )
    {
        var options = new FanoutOptions();
        configure?.Invoke(options);
        Feed = new CommitFeed();
        Retention = retention ?? new RetentionOptions { Default = new RetentionRule() };
        Store = new InMemoryStore(Feed, new StoreClock(Time), Options.Create(Retention));
        Journal = decorate?.Invoke(Store) ?? Store;
        Wheel = new TimerWheel(Time);
        Fanout = new EventFanout(
            Journal,
            Feed,
            backplane ?? new InProcessBackplane(),
            Wheel,
            Time,
            Options.Create(options),
            new FanoutInstruments(_meters.GetRequiredService<IMeterFactory>()),
            NullLogger<EventFanout>.Instance
        );
        Fanout.Begin();
    }

    public ManualTime Time { get; } = new();

    public RetentionOptions Retention { get; }

    public CommitFeed Feed { get; }

    public InMemoryStore Store { get; }

    public IJournal Journal { get; }

    public TimerWheel Wheel { get; }

    public EventFanout Fanout { get; }

    public static Caller User(string id = "ann", string? session = null, string? device = null) =>
        new(id, id) { SessionId = session, DeviceId = device };

    public static EventDraft Draft(string topic, object? value, EventOrigin? origin = null) =>
        EventDraft.Of(TopicName.Parse(topic), "e", value, origin);

    public ValueTask<Position> PublishAsync(string topic, object? value, EventOrigin? origin = null) =>
        Journal.AppendAsync(Draft(topic, value, origin));

    public EventStreamConnection Open(TestSink sink, string topics, Func<ConnectionRequest, ConnectionRequest>? with = null)
    {
        var (names, patterns) = (
            topics.Split(' ').Where(topic => !topic.Contains('*')),
            topics.Split(' ').Where(topic => topic.Contains('*'))
        );
        var request = new ConnectionRequest(User(), [.. names.Select(TopicName.Parse)], sink)
        {
            Patterns = [.. patterns.Select(TopicPattern.Parse)],
            Heartbeat = TimeSpan.Zero,
        };
        return Fanout.Open(with?.Invoke(request) ?? request);
    }

    /// <summary>Opens a connection that is live when this returns: an event published afterwards is delivered live.</summary>
    public async Task<EventStreamConnection> ConnectAsync(
        TestSink sink,
        string topics,
        Position? resume = null,
        Func<ConnectionRequest, ConnectionRequest>? with = null
    )
    {
        var connection = Open(sink, topics, with);
        var (start, reset) = await Fanout.LocateAsync(resume);
        await Fanout.StartAsync(connection, reset is null ? default : ControlFrames.Reset(reset.Value, start), start);
        await Fanout.SettledAsync();
        return connection;
    }

    /// <summary>Makes a live reader stand still: with this event under way, it accepts nothing until it is let go.</summary>
    public async Task StallAsync(TestSink sink, string topic, object? value)
    {
        var blocked = sink.Hold();
        await PublishAsync(topic, value);
        await blocked.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public void Dispose()
    {
        Wheel.Dispose();
        Store.Dispose();
        _meters.Dispose();
    }
}
