using BenchmarkDotNet.Attributes;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Bench.Micro;

/// <summary>One event to one frame, in each clothing.</summary>
[MemoryDiagnoser]
public class Frames
{
    private readonly DunlinEvent _event = DunlinEvent.Transient(Engine.Draft("bench/frames"), DateTimeOffset.UnixEpoch);

    [Benchmark]
    public ReadOnlyMemory<byte> Named() => FrameWriter.Encode(null, frame => WireFormats.Named.Write(_event, frame));

    [Benchmark]
    public ReadOnlyMemory<byte> Envelope() => FrameWriter.Encode(null, frame => WireFormats.Envelope.Write(_event, frame));
}

/// <summary>A transient event to all connections: what the fan-out itself costs, without store and sockets. Per delivery.</summary>
[MemoryDiagnoser]
public class Fanouts
{
    private const int Connections = 10_000;
    private readonly SemaphoreSlim _all = new(0);
    private Engine _shared = null!;
    private Engine _own = null!;
    private int _left;

    [GlobalSetup]
    public void Setup() => StartAsync().GetAwaiter().GetResult(); // the harness, run in process, does not await

    private async Task StartAsync()
    {
        (_shared, _own) = (await Engine.StartAsync(sqlite: false), await Engine.StartAsync(sqlite: false));
        foreach (
            var sink in (await _shared.ConnectAsync(Connections, ownTopics: false)).Concat(
                await _own.ConnectAsync(Connections, ownTopics: true)
            )
        )
            sink.Flushed = _ => Count();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _shared.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _own.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>One topic with 10,000 subscribers.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Connections)]
    public void One_topic()
    {
        Volatile.Write(ref _left, Connections);
        _shared.Fanout.PublishTransient(Engine.Draft("shared"));
        _all.Wait();
    }

    /// <summary>10,000 topics with one subscriber each, an event to each.</summary>
    [Benchmark(OperationsPerInvoke = Connections)]
    public void Own_topics()
    {
        Volatile.Write(ref _left, Connections);
        for (var i = 0; i < Connections; i++)
            _own.Fanout.PublishTransient(Engine.Draft("own/" + i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        _all.Wait();
    }

    private void Count()
    {
        if (Interlocked.Decrement(ref _left) == 0)
            _all.Release();
    }
}

/// <summary>Durable writes on a real SQLite file, one caller at a time.</summary>
[MemoryDiagnoser]
public class Writes
{
    private Engine _engine = null!;

    [GlobalSetup]
    public void Setup() => _engine = Engine.StartAsync(sqlite: true).GetAwaiter().GetResult();

    [GlobalCleanup]
    public void Cleanup() => _engine.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark]
    public async Task<Position> Append() => await _engine.Journal.AppendAsync(Engine.Draft("bench/append"));

    [Benchmark]
    public async Task LeaseCycle()
    {
        var resource = ResourceName.Parse("bench/lease");
        await _engine.Leases.AcquireAsync(
            new LeaseRequest(resource, "lease-of-the-bench", new LeaseOwner("u", "U"), LeaseDuration.FromSeconds(30))
        );
        await _engine.Leases.ReleaseAsync(new LeaseClaim(resource, "lease-of-the-bench", "u"));
    }
}
