using System.Diagnostics.Metrics;
using System.Net;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.TestKit;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>
/// The server releases all resources of a stream, however its peer ends it. Runs alone, because it measures the open files and the memory
/// of the process.
/// </summary>
[Collection(nameof(AbnormalEndTests))]
[CollectionDefinition(nameof(AbnormalEndTests), DisableParallelization = true)]
public sealed class AbnormalEndTests
{
    private const int Streams = 10_000;
    private const int Batch = 100;

    // Less than two batches, so that a leaked slot soon causes a refusal.
    private const int MaxConnections = 150;

    private const int FileSlack = 20;
    private const long MemorySlack = 8 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Ten_thousand_abnormal_stream_ends_leak_nothing()
    {
        TestSeed.NewRandom(out var seed);
        using var log = new TestLog();
        List<WeakReference> opened = [],
            accepted = [];
        await using var host = await StartAsync(log, accepted);
        host.Fanout.Opened.Subscribe(stream => Watch(opened, stream));
        using var kestrel = new KestrelConnections();
        var oldest = await FillAsync(host);

        // Permanent allocations of the process occur in the first batches.
        const int warmUp = 10;
        var next = 0;
        for (; next < warmUp * Batch; next += Batch)
            await BatchAsync(host, kestrel, oldest, seed, next);
        var (files, memory) = (OpenFiles(), LiveBytes());
        for (; next < Streams; next += Batch)
            await BatchAsync(host, kestrel, oldest, seed, next);

        Assert.InRange(OpenFiles(), 0, files + FileSlack);
        Assert.InRange(LiveBytes(), 0, memory + MemorySlack);
        lock (opened)
            Assert.InRange(opened.Count(static stream => stream.IsAlive), 0, Batch);
        lock (accepted)
            Assert.InRange(accepted.Count(static connection => connection.IsAlive), 0, Batch);
        Assert.Equal(0, kestrel.Rejected);
        Assert.DoesNotContain(" Error ", log.All, StringComparison.Ordinal);
        // The server still accepts streams.
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=t");
        await reader.UntilAsync("dunlin.hello");
    }

    private static Task<EngineHost> StartAsync(TestLog log, List<WeakReference> accepted) =>
        EngineHost.StartAsync(
            services =>
            {
                // Only warnings and errors: the complete log of all these connections would look like a leak.
                services.RemoveAll<ILoggerProvider>();
                services.AddLogging(logging => logging.AddProvider(new WithoutScopes(log)).SetMinimumLevel(LogLevel.Warning));
                services.Configure<EventStreamOptions>(static streams =>
                    (streams.MaxPerUser, streams.MaxPerAddress) = (Batch * 2, Batch * 2)
                );
            },
            map: static app =>
            {
                // Reads the body before the stream starts, as a form subscription does.
                app.MapPost(
                    "/form",
                    static async context =>
                    {
                        await context.Request.ReadFormAsync(context.RequestAborted);
                        await ServeAsync(context, static (_, _) => ValueTask.CompletedTask);
                    }
                );
                app.MapEventStream(
                    "/opening",
                    static context =>
                        ServeAsync(
                            context,
                            static async (_, cancellationToken) =>
                                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)
                        )
                );
                app.MapEventStream(
                    "/failing",
                    static context =>
                        ServeAsync(context, static (_, _) => throw new Diagnostics.DunlinException(Diagnostics.ErrorCode.Conflict))
                );
            },
            listen: kestrel =>
            {
                kestrel.Limits.MaxConcurrentConnections = MaxConnections;
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                        ((IConnectionBuilder)listen).Use(next =>
                            connection =>
                            {
                                Watch(accepted, connection);
                                return next(connection);
                            }
                        )
                );
            }
        );

    private static Task ServeAsync(HttpContext context, Func<StreamOpening, CancellationToken, ValueTask> onOpen) =>
        context
            .RequestServices.GetRequiredService<EventStreams>()
            .ServeAsync(context, new StreamRequest([TopicName.Parse("t")]) { OnOpen = onOpen });

    // More data than the windows of a connection hold, so that a client that does not read is cut during the replay.
    private static async Task<Position> FillAsync(EngineHost host)
    {
        var oldest = host.Journal.Head;
        var data = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new string('x', 50_000));
        for (var i = 0; i < 100; i++)
            await host.Journal.AppendAsync(new EventDraft(TopicName.Parse("t"), "e", data));
        return oldest;
    }

    private static async Task BatchAsync(EngineHost host, KestrelConnections kestrel, Position oldest, int seed, int first)
    {
        var peers = Enumerable
            .Range(first, Batch)
            .Select(i => Task.Run(() => new AbnormalPeer(host.Address, oldest, new Random(seed + i)).RunAsync()))
            .ToList();
        host.Fanout.PublishTransient(new EventDraft(TopicName.Parse("t"), "e", "1"u8.ToArray()));
        await Task.WhenAll(peers).WaitAsync(Patience);
        var sockets = ((DirectListenerFactory)host.Services.GetRequiredService<IConnectionListenerFactory>()).Open;
        var limits = host.Services.GetRequiredService<StreamLimits>();
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var left = (Fanout: host.Fanout.ConnectionCount, Sockets: sockets.Counts, Places: limits.Counts, Kestrel: kestrel.Active);
            if (left == (0, (0, 0), (0, 0, 0), 0))
                return;
            Assert.False(
                patience.IsCancellationRequested,
                $"DUNLIN_SEED={seed}, streams {first} to {first + Batch - 1}: not given back: {left}"
            );
            await Task.Yield();
        }
    }

    private static void Watch(List<WeakReference> all, object one)
    {
        lock (all)
            all.Add(new WeakReference(one));
    }

    // Excludes large objects: they are pooled buffers, whose number follows the peak demand.
    private static long LiveBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var oldest = GC.GetGCMemoryInfo(GCKind.FullBlocking).GenerationInfo[GC.MaxGeneration];
        return oldest.SizeAfterBytes - oldest.FragmentationAfterBytes;
    }

    private static int OpenFiles() => Directory.GetFiles("/proc/self/fd").Length;

    private sealed class WithoutScopes(TestLog log) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => log.CreateLogger("").Log(logLevel, eventId, state, exception, formatter);

        public void Dispose()
        {
            // The log outlives the host.
        }
    }

    /// <summary>Reads Kestrel's connection counter.</summary>
    private sealed class KestrelConnections : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _active;
        private long _rejected;

        public KestrelConnections()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (
                    instrument is
                    {
                        Meter.Name: "Microsoft.AspNetCore.Server.Kestrel",
                        Name: "kestrel.active_connections" or "kestrel.rejected_connections"
                    }
                )
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>(
                (instrument, value, _, _) =>
                    Interlocked.Add(ref instrument.Name == "kestrel.active_connections" ? ref _active : ref _rejected, value)
            );
            _listener.Start();
        }

        public long Active => Interlocked.Read(ref _active);

        public long Rejected => Interlocked.Read(ref _rejected);

        public void Dispose() => _listener.Dispose();
    }
}
