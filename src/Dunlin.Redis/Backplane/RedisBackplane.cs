using Dunlin.Backplane;
using Dunlin.Journal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Dunlin.Redis.Backplane;

/// <summary>
/// Hints and transient events on one channel of Redis. Publish and subscribe there is at most once and remembers nothing, so it is
/// never relied on: a hint that carries events spares the others a look into the journal when they are in step, and whatever
/// is lost, late or out of turn they find there. After every (re)connection this node asks the journal how far it has come.
/// Safe for concurrent use.
/// </summary>
internal sealed partial class RedisBackplane : IBackplane, IDisposable
{
    private readonly Guid _id = Guid.NewGuid();
    private readonly RedisOptions _options;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly RedisChannel _channel;
    private IBackplaneNode? _node;
    private ConnectionMultiplexer? _redis;
    private ISubscriber? _subscriber;
    private int _waiting;
    private int _dropping;

    public RedisBackplane(IOptions<RedisOptions> options, IServiceProvider services, ILogger<RedisBackplane> logger)
    {
        _options = options.Value;
        _services = services;
        _logger = logger;
        _channel = new RedisChannel(_options.Channel, RedisChannel.PatternMode.Literal);
    }

    /// <summary>Whether there is a connection now.</summary>
    public bool IsConnected => _redis?.IsConnected == true;

    public void Attach(IBackplaneNode node)
    {
        if (Interlocked.CompareExchange(ref _node, node, null) is not null)
            throw new InvalidOperationException("A Redis backplane connects one node; give every node its own.");
    }

    public void Hint(IBackplaneNode from, IReadOnlyList<Event> committed)
    {
        long bytes = 0;
        for (var i = 0; i < committed.Count; i++)
            bytes += committed[i].Data.Length;
        Publish(new Hint(_id, committed[^1].Position, bytes <= _options.MaxHintBytes ? committed : []));
    }

    public void Transient(IBackplaneNode from, Event entry) => Publish(new Hint(_id, default, [entry]));

    /// <summary>Begins to connect, and goes on trying.</summary>
    public async Task ConnectAsync()
    {
        var configuration = ConfigurationOptions.Parse(_options.Configuration);
        configuration.AbortOnConnectFail = false;
        configuration.ClientName ??= "dunlin";
        var redis = await ConnectionMultiplexer.ConnectAsync(configuration);
        redis.ConnectionFailed += (_, failed) => LogLost(failed.Exception, failed.EndPoint?.ToString() ?? "");
        redis.ConnectionRestored += (_, _) => _ = AskJournalAsync();
        redis.ErrorMessage += (_, error) => LogError(error.Message);
        // The channel's listeners are called one after another, so hints keep the order in which they came.
        redis.PreserveAsyncOrder = true;
        _redis = redis;
        try
        {
            await redis.GetSubscriber().SubscribeAsync(_channel, (_, value) => OnSaid(value));
        }
        catch (RedisException exception)
        {
            // Remembered by the client, and done once there is a connection.
            LogLost(exception, _options.Configuration);
        }
        Volatile.Write(ref _subscriber, redis.GetSubscriber());
        LogConnected(redis.IsConnected);
        await AskJournalAsync();
    }

    public void Dispose() => _redis?.Dispose();

    private void Publish(Hint hint)
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
            _ = subscriber.PublishAsync(_channel, HintCodec.Encode(hint)).ContinueWith(
                (task, state) => ((RedisBackplane)state!).OnPublished(task), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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
        if (_node is not { } node)
            return;
        if (HintCodec.Decode(value!) is not { } hint)
        {
            LogNotUnderstood(((byte[])value!).Length);
            return;
        }
        if (hint.Node == _id)
            return;
        if (hint.IsTransient)
            node.OnTransient(hint.Events[0]);
        else if (hint.Events.Count > 0)
            node.OnHint(hint.Events);
        else
            node.OnReached(hint.Through);
    }

    /// <summary>While there was no connection hints were lost: the journal tells what they would have told.</summary>
    private async Task AskJournalAsync()
    {
        try
        {
            // Asked for late: the store and what uses this are made by one container.
            if (_node is { } node && _services.GetService(typeof(IJournal)) is IJournal journal)
                node.OnReached(await journal.ReadHeadAsync(CancellationToken.None));
        }
#pragma warning disable CA1031 // the store's own watch finds it a little later
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotAsked(exception);
        }
    }

    [LoggerMessage(2200, LogLevel.Information, "The backplane listens; Redis is connected: {IsConnected}.")]
    private partial void LogConnected(bool isConnected);

    [LoggerMessage(2201, LogLevel.Warning, "Redis {EndPoint} cannot be reached; nodes hear of each other through the store, and later.")]
    private partial void LogLost(Exception? exception, string endPoint);

    [LoggerMessage(2202, LogLevel.Warning, "Redis says: {Error}")]
    private partial void LogError(string error);

    [LoggerMessage(2203, LogLevel.Warning, "{MaxWaiting} hints wait for Redis; further ones are dropped, and the others read the journal.")]
    private partial void LogDropping(int maxWaiting);

    [LoggerMessage(2204, LogLevel.Debug, "A hint was not published; the others read the journal.")]
    private partial void LogNotPublished(Exception exception);

    [LoggerMessage(2205, LogLevel.Warning, "{Count} bytes on the channel are no hint of this version.")]
    private partial void LogNotUnderstood(int count);

    [LoggerMessage(2206, LogLevel.Warning, "The journal could not be asked after a connection; the store's own watch goes on.")]
    private partial void LogNotAsked(Exception exception);
}
