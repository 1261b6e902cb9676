using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Postgres.Tests.Support;

/// <summary>A whole node without HTTP, that remembers what its readers of two topics are handed (committed events of one, transient
/// ones of the other) and what it asks the database.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private static readonly TopicName Topic = TopicName.Parse("watched");
    private static readonly TopicName Typing = TopicName.Parse("typing");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly IHost _host;
    private readonly MeterListener _listener = new();
    private readonly Channel<DunlinEvent> _heard = Channel.CreateUnbounded<DunlinEvent>();
    private readonly Channel<int> _typed = Channel.CreateUnbounded<int>();
    private long _heads;
    private long _pages;

    private NodeHost(IHost host)
    {
        _host = host;
        var meters = host.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "dunlin.journal.questions" && ReferenceEquals(instrument.Meter.Scope, meters))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>(
            (_, count, tags, _) => Interlocked.Add(ref (string)tags[0].Value! == "head" ? ref _heads : ref _pages, count)
        );
        _listener.Start();
        Fanout.EventsOf(Topic).Subscribe(entry => _heard.Writer.TryWrite(entry));
        Fanout
            .EventsOf(Typing)
            .Subscribe(entry => _typed.Writer.TryWrite(int.Parse(Encoding.UTF8.GetString(entry.Data.Span), CultureInfo.InvariantCulture)));
    }

    public PostgresStore Store => _host.Services.GetRequiredService<PostgresStore>();

    public EventFanout Fanout => _host.Services.GetRequiredService<EventFanout>();

    public PostgresBackplane StoreBackplane => _host.Services.GetRequiredService<PostgresBackplane>();

    public IServiceProvider Services => _host.Services;

    /// <summary>Questions for the head so far.</summary>
    public long Heads => Interlocked.Read(ref _heads);

    /// <summary>Pages of the journal read so far.</summary>
    public long Pages => Interlocked.Read(ref _pages);

    public static async Task<NodeHost> StartAsync(
        string connectionString,
        Action<PostgresOptions>? configure = null,
        Action<DunlinBuilder>? build = null
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        var dunlin = builder
            .Services.AddDunlinCore()
            .AddPostgres(options =>
            {
                options.ConnectionString = connectionString;
                configure?.Invoke(options);
            });
        build?.Invoke(dunlin);
        var node = new NodeHost(builder.Build());
        await node._host.StartAsync(TestContext.Current.CancellationToken);
        await node.StoreBackplane.Listening.WaitAsync(Patience, TestContext.Current.CancellationToken);
        return node;
    }

    public async Task<Position> AppendAsync(int value = 0) =>
        await Store.AppendAsync(EventDraft.Of(Topic, "test.happened", value), TestContext.Current.CancellationToken);

    /// <summary>The next event that its readers are handed.</summary>
    public async Task<DunlinEvent> NextAsync() =>
        await _heard
            .Reader.ReadAsync(TestContext.Current.CancellationToken)
            .AsTask()
            .WaitAsync(Patience, TestContext.Current.CancellationToken);

    /// <summary>The offsets of the next events.</summary>
    public async Task<List<long>> NextAsync(int count)
    {
        var offsets = new List<long>();
        while (offsets.Count < count)
            offsets.Add((await NextAsync()).Position.Offset);
        return offsets;
    }

    /// <summary>Says a transient event, which its own readers hear too.</summary>
    public void Type(int value) => Fanout.PublishTransient(Typed(value));

    /// <summary>The next transient event that its readers hear.</summary>
    public async Task<int> TypedAsync() =>
        await _typed
            .Reader.ReadAsync(TestContext.Current.CancellationToken)
            .AsTask()
            .WaitAsync(Patience, TestContext.Current.CancellationToken);

    public bool HasTyped => _typed.Reader.TryPeek(out _);

    public static EventDraft Typed(int value) => EventDraft.Of(Typing, "typing", value);

    /// <summary>Completes when it has heard the notification of a commit.</summary>
    public Task WhenToldAsync(Position position) => WhenAsync(() => Store.Expected.Advertised.Offset >= position.Offset);

    public static async Task WhenAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)_host).DisposeAsync();
        _listener.Dispose();
    }
}
