using System.Security.Cryptography;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Dunlin.Redis.Backplane;

/// <summary>
/// Hints and transient events on one channel of Redis. Publish and subscribe there is at most once and remembers nothing, so it is
/// never relied on: a hint that carries events spares the others a look into the journal when they are in step, and whatever
/// is lost, late or out of turn they find there. Safe for concurrent use.
/// </summary>
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
            throw new InvalidOperationException("A Redis backplane connects one node; give every node its own.");
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
            // Once: a node of another version says many.
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
            // First the readers, then the store: what it believes this node to know has been handed over.
            node.OnCommitNotification(hint.Events);
            _store?.Hinted(hint.Events[0].Position, hint.Through);
        }
        else if (!hint.IsBeat)
        {
            node.OnReached(hint.Through);
        }
    }

    [LoggerMessage(2203, LogLevel.Warning, "{MaxWaiting} hints wait for Redis; further ones are dropped, and the others read the journal.")]
    private partial void LogDropping(int maxWaiting);

    [LoggerMessage(2204, LogLevel.Debug, "A hint was not published; the others read the journal.")]
    private partial void LogNotPublished(Exception exception);

    [LoggerMessage(2205, LogLevel.Warning, "{Count} bytes on the channel are no hint of this version.")]
    private partial void LogNotUnderstood(int count);
}
