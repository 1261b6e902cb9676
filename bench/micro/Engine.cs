using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Bench.Micro;

/// <summary>A started engine without HTTP, on its own store.</summary>
public sealed class Engine : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly string? _folder;

    private Engine(IHost host, string? folder) => (_host, _folder) = (host, folder);

    /// <summary>200 bytes of JSON, the size of a typical application event.</summary>
    public static byte[] Data { get; } = System.Text.Encoding.ASCII.GetBytes("\"" + new string('x', 198) + "\"");

    public IJournal Journal => _host.Services.GetRequiredService<IJournal>();

    public LeaseService Leases => _host.Services.GetRequiredService<LeaseService>();

    public EventFanout Fanout => _host.Services.GetRequiredService<EventFanout>();

    /// <summary>Starts an engine.</summary>
    /// <param name="sqlite">Whether to use a real file with <c>synchronous=FULL</c>; otherwise in memory.</param>
    public static async Task<Engine> StartAsync(bool sqlite)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        var folder = sqlite ? Directory.CreateTempSubdirectory("dunlin-micro-").FullName : null;
        var dunlin = builder.Services.AddDunlinCore();
        if (folder is null)
            dunlin.AddInMemory();
        else
            dunlin.AddSqlite(Path.Combine(folder, "journal.db"));
        var host = builder.Build();
        await host.StartAsync();
        return new Engine(host, folder);
    }

    public static EventDraft Draft(string topic) => new(TopicName.Parse(topic), "bench.event", Data);

    /// <summary>Opens live connections to one topic, or each to its own topic.</summary>
    public async Task<IReadOnlyList<NullSink>> ConnectAsync(int count, bool ownTopics)
    {
        var sinks = new List<NullSink>();
        for (var i = 0; i < count; i++)
        {
            var topic = ownTopics ? "own/" + i.ToString(CultureInfo.InvariantCulture) : "shared";
            var sink = new NullSink();
            var connection = Fanout.Open(new ConnectionRequest(new Caller("u", "U"), [TopicName.Parse(topic)], sink));
            await Fanout.StartAsync(connection, default, Fanout.DeliveredHead);
            sinks.Add(sink);
        }
        return sinks;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A peer that accepts everything immediately and counts flushes.</summary>
public sealed class NullSink : IFrameSink
{
    private int _flushes;

    /// <summary>Called at every flush with the number of flushes.</summary>
    public Action<int> Flushed { get; set; } = static _ => { };

    public void Write(ReadOnlyMemory<byte> bytes) { }

    public ValueTask<bool> FlushAsync()
    {
        Flushed(++_flushes);
        return new(true);
    }

    public void Abort() { }
}
