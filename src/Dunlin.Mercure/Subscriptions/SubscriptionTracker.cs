using System.Collections.Concurrent;
using System.Text.Json;
using Dunlin.Cluster;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>
/// Publishes the begin and end of subscriptions, and keeps a copy of those of all nodes. Does nothing unless
/// <see cref="MercureOptions.Subscriptions"/> is set. Thread-safe.
/// </summary>
/// <remarks>
/// The copy of another node follows its events, so it is as current as the updates that this node has delivered. Each node appends the end
/// of the subscriptions of a dead node; an idempotency key for each subscriber makes one of them win.
/// </remarks>
internal sealed partial class SubscriptionTracker : IHostedService
{
    private const string NodeHeader = "node";
    private const string Query = "mercure.subscriptions";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly MercureHub _hub;
    private readonly EventFanout _fanout;
    private readonly IJournal _journal;
    private readonly ClusterQuery _cluster;
    private readonly ILogger _logger;
    private readonly BackgroundLoop _loop;
    private readonly RemoteSubscriptions _remote;
    private readonly ConcurrentDictionary<string, LocalSubscriber> _local = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, EndedSubscriber> _unreported = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;
    private IDisposable? _accepted;

    public SubscriptionTracker(
        MercureHub hub,
        EventFanout fanout,
        IJournal journal,
        ClusterQuery cluster,
        TimeProvider time,
        ILogger<SubscriptionTracker> logger,
        BackgroundLoops? loops = null
    )
    {
        (_hub, _fanout, _journal, _cluster, _logger) = (hub, fanout, journal, cluster, logger);
        _remote = new RemoteSubscriptions(time);
        _loop = BackgroundLoop.Periodic("Mercure subscriptions", static () => Interval, SweepAsync, time, logger, loops);
    }

    private bool IsOn => _hub.Options.Subscriptions;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!IsOn)
            return Task.CompletedTask;
        _accepted = _fanout.OnAccepted(OnAccepted);
        _cluster.Answer(Query, OwnOf, MercureJson.Default.String, MercureJson.Default.NodeSubscriptions);
        _loop.Start();
        return Task.CompletedTask;
    }

    /// <summary>Waits for the ends of the streams of this node, which are closing.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!IsOn)
            return;
        _isStopping = true;
        SignalIfEmpty();
        try
        {
            await _isEmpty.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            LogUnreported(_logger, _local.Count);
        }
        await _loop.StopAsync(cancellationToken);
        _accepted?.Dispose();
    }

    /// <summary>Returns whether this node has a complete copy of the subscriptions of another node.</summary>
    public bool Knows(string node) => _remote.IsKnown(node);

    /// <summary>Returns the active subscriptions of all nodes.</summary>
    public IReadOnlyList<SubscriptionDocument> All() =>
        [
            .. _local
                .Values.SelectMany(static local => local.Documents)
                .Concat(_remote.All())
                .OrderBy(static one => one.Id, StringComparer.Ordinal),
        ];

    /// <summary>Publishes the begin of the subscriptions of a stream, and their end when it closes.</summary>
    public async ValueTask BeginAsync(Subscriber subscriber, EventStreamConnection connection)
    {
        if (!IsOn)
            return;
        var documents = subscriber.Documents(_hub);
        _local[subscriber.Id] = new LocalSubscriber(documents, connection);
        try
        {
            await AppendAsync(new EndedSubscriber(_cluster.NodeId, subscriber.Id, documents), isActive: true);
        }
        finally
        {
            _ = EndAsync(subscriber.Id, connection.Completion);
        }
    }

    private async Task EndAsync(string subscriber, Task closed)
    {
        await closed;
        if (_local.TryRemove(subscriber, out var local))
        {
            var ended = new EndedSubscriber(_cluster.NodeId, subscriber, local.Documents);
            _unreported[subscriber] = ended;
            await ReportAsync(ended);
        }
        SignalIfEmpty();
    }

    private void SignalIfEmpty()
    {
        if (_isStopping && _local.IsEmpty)
            _isEmpty.TrySetResult();
    }

    // Repeated by the sweep until it succeeds.
    private async Task ReportAsync(EndedSubscriber ended)
    {
        try
        {
            await AppendAsync(ended, isActive: false);
            _unreported.TryRemove(ended.Subscriber, out _);
        }
#pragma warning disable CA1031 // the next sweep tries again
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogEndFailed(_logger, exception, ended.Subscriber);
        }
    }

    private async ValueTask AppendAsync(EndedSubscriber subscriber, bool isActive)
    {
        var drafts = subscriber.Documents.Select(document => DraftOf(document with { Active = isActive }, subscriber.Node)).ToList();
        // Several nodes may report the same end. A begin is reported once, by its own node.
        var key = isActive ? null : new IdempotencyKey(Query, $"end:{subscriber.Subscriber}");
        await _journal.AppendAsync(drafts, key, CancellationToken.None);
    }

    private static EventDraft DraftOf(SubscriptionDocument document, string node)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { [NodeHeader] = node };
        if (!document.IsLegacy)
            headers.Add(MercureFormat.TypeHeader, "mercure");
        return new EventDraft(TopicName.ForText(document.Id), MercureFormat.SubscriptionType, document.ToJson())
        {
            IsRestricted = true,
            Headers = headers,
        };
    }

    private void OnAccepted(IReadOnlyList<DunlinEvent> events)
    {
        foreach (var entry in events)
        {
            if (
                entry.Type != MercureFormat.SubscriptionType
                || !entry.Headers.TryGetValue(NodeHeader, out var node)
                || JsonSerializer.Deserialize(entry.Data.Span, MercureJson.Default.SubscriptionDocument) is not { } document
            )
                continue;
            if (node != _cluster.NodeId)
                _remote.Apply(node, document);
            // Other nodes took this one for dead. Its reader connects again and gets a new subscription.
            else if (!document.Active && _local.TryGetValue(document.Subscriber, out var local))
                ThreadPool.UnsafeQueueUserWorkItem(static one => one.Connection.Close(ConnectionEnd.Failed), local, preferLocal: false);
        }
    }

    private NodeSubscriptions OwnOf(string _) => new(_cluster.NodeId, [.. _local.Values.SelectMany(static local => local.Documents)]);

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var others = _cluster.OtherNodes;
        if (others.Any(node => !_remote.IsKnown(node)))
        {
            _remote.BeginCopy();
            var answers = await _cluster.AskAsync(
                Query,
                "",
                MercureJson.Default.String,
                MercureJson.Default.NodeSubscriptions,
                cancellationToken: cancellationToken
            );
            _remote.EndCopy(answers.Value);
        }
        foreach (var (node, documents) in _remote.TakeDead(others))
        {
            LogDead(_logger, node, documents.Count);
            foreach (var group in documents.GroupBy(static document => document.Subscriber, StringComparer.Ordinal))
                _unreported[group.Key] = new EndedSubscriber(node, group.Key, [.. group]);
        }
        await Task.WhenAll(_unreported.Values.Select(ReportAsync));
    }

    private sealed record LocalSubscriber(IReadOnlyList<SubscriptionDocument> Documents, EventStreamConnection Connection);

    private sealed record EndedSubscriber
    {
        public EndedSubscriber(string node, string subscriber, IReadOnlyList<SubscriptionDocument> documents)
        {
            (Node, Subscriber) = (node, subscriber);
            // The order is part of the content, which must be equal on all nodes that report the end.
            Documents = [.. documents.OrderBy(static document => document.Id, StringComparer.Ordinal)];
        }

        public string Node { get; }

        public string Subscriber { get; }

        public IReadOnlyList<SubscriptionDocument> Documents { get; }
    }

    [LoggerMessage(
        8000,
        LogLevel.Warning,
        "Publishing the end of the subscriptions of '{Subscriber}' failed; retrying. They are shown as active until then. Check the store."
    )]
    private static partial void LogEndFailed(ILogger logger, Exception exception, PeerText subscriber);

    [LoggerMessage(8001, LogLevel.Warning, "Node '{Node}' is gone without notice. {Count} Mercure subscriptions of it end.")]
    private static partial void LogDead(ILogger logger, PeerText node, int count);

    [LoggerMessage(8002, LogLevel.Warning, "The host stopped before {Count} Mercure streams reported their end. Other nodes report it.")]
    private static partial void LogUnreported(ILogger logger, int count);
}
