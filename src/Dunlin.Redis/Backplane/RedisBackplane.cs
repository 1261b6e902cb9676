using System.Security.Cryptography;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Dunlin.Redis.Backplane;

/// <summary>The backplane that sends commit notifications and transient events on one Redis channel. Thread-safe.</summary>
/// <remarks>Redis publish/subscribe delivers at most once and stores nothing, so nothing relies on it. A commit notification with events
/// saves nodes that are in step a read of the journal. Nodes read lost, late or reordered commits from the journal.</remarks>
internal sealed partial class RedisBackplane : IBackplane, IDisposable
{
    private readonly string _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly RedisOptions _options;
    private readonly IServiceProvider _services;
    private readonly IStoreBackplane? _store;
    private readonly ILogger _logger;
    private readonly RedisChannel _channel;
    private IBackplaneNode? _node;
    private ISubscriber? _subscriber;
    private int _waiting;
    private int _dropping;
    private int _misunderstood;

    public RedisBackplane(
        IOptions<RedisOptions> options,
        IServiceProvider services,
        ILogger<RedisBackplane> logger,
        IStoreBackplane? store = null,
        BackgroundLoops? loops = null
    )
    {
        _options = options.Value;
        _services = services;
        _logger = logger;
        _store = store;
        _beating = new BackgroundLoop("connection to Redis", BeatAsync, TimeProvider.System, logger, Backoff, loops);
        _channel = new RedisChannel(_options.Channel, RedisChannel.PatternMode.Literal);
    }

    public void Attach(IBackplaneNode node)
    {
        if (Interlocked.CompareExchange(ref _node, node, null) is not null)
            throw new InvalidOperationException("This Redis backplane already connects a node. Create one for each node.");
        _store?.Attach(_id, OnHeardByStore);
    }

    public void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed)
    {
        long bytes = 0;
        for (var i = 0; i < committed.Count; i++)
            bytes += committed[i].Data.Length;
        Publish(
            new CommitNotification(
                _id,
                committed[^1].Position,
                bytes <= _options.MaxHintBytes ? committed : [],
                Commit: DunlinActivities.CurrentCommit
            )
        );
    }

    private void Publish(CommitNotification hint)
    {
        if (Volatile.Read(ref _subscriber) is not { } subscriber)
            return;
        if (Interlocked.Increment(ref _waiting) > _options.MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            if (Interlocked.Exchange(ref _dropping, 1) == 0)
                LogDropping(_options.MaxWaiting);
            return;
        }
        try
        {
            _ = subscriber
                .PublishAsync(_channel, CommitNotificationCodec.Encode(hint))
                .ContinueWith(
                    (task, state) => ((RedisBackplane)state!).OnPublished(task),
                    this,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default
                );
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            Interlocked.Decrement(ref _waiting);
            LogNotPublished(exception);
        }
    }

    private void OnPublished(Task task)
    {
        Interlocked.Decrement(ref _waiting);
        if (task.Exception?.InnerException is { } exception)
            LogNotPublished(exception);
        else
            Volatile.Write(ref _dropping, 0);
    }

    private void OnSaid(RedisValue value)
    {
        var bytes = (byte[])value!;
        if (_node is not { } node || CommitNotificationCodec.IsEcho(bytes, _id))
            return;
        if (CommitNotificationCodec.Decode(bytes) is not { } hint)
        {
            // Logged once: a node of another version sends many such messages.
            if (Interlocked.Exchange(ref _misunderstood, 1) == 0)
                LogNotUnderstood(bytes.Length);
            return;
        }
        if (string.Equals(hint.Node, _id, StringComparison.Ordinal))
        {
            if (hint.IsBeat)
                OnBeat(hint.Number);
        }
        else if (hint.IsTransient)
        {
            Hear(new NumberedEvent(hint.Node, hint.Number, hint.Events[0]));
        }
        else
        {
            if (hint.Commit is { } commit)
                node.OnTraced(hint.Through, commit);
            OnCommit(node, hint);
        }
    }

    private void OnCommit(IBackplaneNode node, CommitNotification hint)
    {
        if (hint.Events.Count > 0)
        {
            // Readers first, then the store: the store's known head includes only events that were handed to the fan-out.
            node.OnCommitNotification(hint.Events);
            _store?.Hinted(hint.Events[0].Position, hint.Through);
        }
        else if (!hint.IsBeat)
        {
            node.OnReached(hint.Through);
        }
    }
}
