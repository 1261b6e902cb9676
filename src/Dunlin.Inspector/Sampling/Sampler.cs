using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Dunlin.Fanout;
using Dunlin.Inspector.Cluster;
using Dunlin.Inspector.Topics;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Sampling;

/// <summary>
/// Samples this node while somebody looks: a viewer of this node, or another node on behalf of its viewers. All viewers share one timer and
/// one encoded sample. Thread-safe.
/// </summary>
internal sealed partial class Sampler(
    EventFanout fanout,
    IJournal journal,
    TimeProvider time,
    NodeQueries nodes,
    TopicRates rates,
    IMeterFactory meters,
    IOptions<InspectorOptions> options,
    ILogger<Sampler> logger
) : IHostedService
{
    /// <summary>Samples that wait for one viewer. A slow viewer misses samples and delays nobody.</summary>
    private const int Waiting = 4;

    private readonly Lock _gate = new(); // guards the fields below
    private readonly List<Viewer> _viewers = [];
    private readonly Queue<ClusterSample> _history = [];
    private ITimer? _timer;
    private NodeProbe? _probe;
    private NodeSample? _latest;
    private NodeAnswers<NodeSample> _others = new([], []);
    private DateTimeOffset _keepUntil;
    private bool _isMeasuring;
    private bool _isAsking;

    /// <summary>Gets whether the node samples now.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
                return _timer is not null;
        }
    }

    /// <summary>Gets the number of other nodes in the next sample.</summary>
    public int OtherNodes
    {
        get
        {
            lock (_gate)
                return _others.Answers.Count;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        nodes.Answer("sample", InspectorJson.Default.SampleRequest, InspectorJson.Default.NodeSample, Keep);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _viewers.ForEach(static viewer => viewer.Complete());
            _viewers.Clear();
            Stop();
        }
        return Task.CompletedTask;
    }

    /// <summary>Adds a viewer. The first viewer starts the sampler; disposing the last one stops it.</summary>
    public Viewer Join()
    {
        lock (_gate)
        {
            var viewer = new Viewer(this, [.. _history]);
            _viewers.Add(viewer);
            Start();
            return viewer;
        }
    }

    private void Leave(Viewer viewer)
    {
        lock (_gate)
        {
            _viewers.Remove(viewer);
            StopIfUnused();
        }
    }

    // The first answer has no rates yet: the sampler has just begun.
    private NodeSample Keep(SampleRequest request)
    {
        lock (_gate)
        {
            _keepUntil = time.GetUtcNow().AddMilliseconds(Math.Clamp(request.KeepMs, 0, 120_000));
            Start();
            return _latest
                ?? new NodeSample
                {
                    Node = nodes.Id,
                    Name = nodes.Name,
                    Version = "",
                    StartedAt = time.GetUtcNow(),
                    At = time.GetUtcNow(),
                    Connections = fanout.ConnectionCount,
                    Offset = fanout.DeliveredHead.Offset,
                    Head = journal.Head.Offset,
                };
        }
    }

    // Requires _gate.
    private void Start()
    {
        if (_timer is not null)
            return;
        _probe = new NodeProbe(fanout, journal, time, nodes, rates, meters);
        _timer = time.CreateTimer(static state => ((Sampler)state!).OnTick(), this, options.Value.Interval, options.Value.Interval);
    }

    // Requires _gate.
    private void StopIfUnused()
    {
        if (_viewers.Count == 0 && _keepUntil <= time.GetUtcNow())
            Stop();
    }

    // Requires _gate.
    private void Stop()
    {
        _timer?.Dispose();
        _probe?.Dispose();
        (_timer, _probe, _latest) = (null, null, null);
        _others = new([], []);
        _history.Clear();
    }

    private void OnTick()
    {
        NodeProbe probe;
        lock (_gate)
        {
            StopIfUnused();
            if (_probe is null || _isMeasuring)
                return;
            _isMeasuring = true;
            probe = _probe;
            if (_viewers.Count > 0 && !_isAsking)
            {
                _isAsking = true;
                _ = Task.Run(AskAsync);
            }
        }
        _ = Task.Run(() => MeasureAsync(probe));
    }

    private async Task MeasureAsync(NodeProbe probe)
    {
        try
        {
            var sample = await probe.MeasureAsync(CancellationToken.None);
            lock (_gate)
            {
                if (ReferenceEquals(probe, _probe))
                    Publish(sample);
            }
        }
#pragma warning disable CA1031 // the next tick measures again
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(exception);
        }
        finally
        {
            lock (_gate)
                _isMeasuring = false;
        }
    }

    private async Task AskAsync()
    {
        try
        {
            var keep = new SampleRequest((int)(options.Value.Interval.TotalMilliseconds * 5));
            var others = await nodes.AskAsync(
                "sample",
                keep,
                InspectorJson.Default.SampleRequest,
                InspectorJson.Default.NodeSample,
                CancellationToken.None
            );
            lock (_gate)
                _others = others;
        }
#pragma warning disable CA1031 // the next tick asks again
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(exception);
        }
        finally
        {
            lock (_gate)
                _isAsking = false;
        }
    }

    // Requires _gate.
    private void Publish(NodeSample own)
    {
        _latest = own;
        if (_viewers.Count == 0)
            return;
        var sample = new ClusterSample(own.At, [own, .. _others.Answers], _others.Silent);
        _history.Enqueue(sample);
        while (_history.Count > options.Value.History)
            _history.Dequeue();
        ReadOnlyMemory<byte> frame = SampleFrames.Of(
            "sample",
            JsonSerializer.SerializeToUtf8Bytes(sample, InspectorJson.Default.ClusterSample)
        );
        foreach (var viewer in _viewers)
            viewer.Add(frame);
    }

    [LoggerMessage(6000, LogLevel.Warning, "The inspector could not take a sample. It tries again; check the store.")]
    private partial void LogFailed(Exception exception);

    /// <summary>One viewer. Dispose it when it leaves.</summary>
    internal sealed class Viewer(Sampler sampler, IReadOnlyList<ClusterSample> history) : IDisposable
    {
        private readonly Channel<ReadOnlyMemory<byte>> _frames = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
        );

        public IReadOnlyList<ClusterSample> History => history;

        public ChannelReader<ReadOnlyMemory<byte>> Frames => _frames.Reader;

        public void Add(ReadOnlyMemory<byte> frame) => _frames.Writer.TryWrite(frame);

        public void Complete() => _frames.Writer.TryComplete();

        public void Dispose() => sampler.Leave(this);
    }
}
