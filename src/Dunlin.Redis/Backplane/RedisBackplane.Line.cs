using Dunlin.Journal;
using Dunlin.Scheduling;
using StackExchange.Redis;

namespace Dunlin.Redis.Backplane;

/// <content>
/// The connection to Redis. An open connection is not sufficient: its subscription may not be restored yet, or Redis may be stalled. The
/// node therefore publishes heartbeats, and treats Redis as working while it receives its own heartbeats.
/// <code>
/// deaf    : the store reads advertised commits at once
/// hearing : commit notifications arrive, and the store waits a moment for them
/// deaf    -- receives a heartbeat that was sent after it went deaf --> hearing: reads the journal for missed commits
/// hearing -- a connection fails, or three heartbeats are missing ----> deaf
/// deaf    -- ten heartbeats are missing -----------------------------> deaf, with a new client
/// </code>
/// </content>
internal sealed partial class RedisBackplane
{
    /// <summary>The number of heartbeats that may be missing: a single late one is no outage.</summary>
    private const int MaxUnheard = 3;

    /// <summary>The number of heartbeats that a client has to reconnect: longer than its own attempts take.</summary>
    private const int MaxDeaf = 10;

    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);
    private static readonly LoopBackoff Backoff = new(BeatInterval, 2 * BeatInterval);

    private readonly Lock _line = new(); // guards _beat, _heard, _floor, _isHearing and the notification of the store
    private readonly BackgroundLoop _beating;
    private int _isDisposed;
    private ConnectionMultiplexer? _redis;
    private ChannelMessageQueue? _messages; // null until the client has subscribed
    private long _beat;
    private long _heard;
    private long _floor;
    private volatile bool _isHearing;

    // Omits the options of the configuration, which may contain a password.
    private string EndPoints => string.Join(", ", ConfigurationOptions.Parse(_options.Configuration).EndPoints);

    /// <summary>Gets whether this node currently receives published messages.</summary>
    public bool IsHearing => _isHearing;

    /// <summary>Starts to connect, and retries until disposal.</summary>
    public async Task ConnectAsync()
    {
        await OpenAsync();
        _beating.Start();
    }

    private async Task OpenAsync()
    {
        var configuration = ConfigurationOptions.Parse(_options.Configuration);
        configuration.AbortOnConnectFail = false;
        // Fail a publish without connection: a late notification is useless, because other nodes read the journal by then.
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ClientName ??= "dunlin";
        var redis = await ConnectionMultiplexer.ConnectAsync(configuration);
        redis.ConnectionFailed += (_, failed) => OnLost(redis, failed);
        redis.ConnectionRestored += (_, _) => Beat();
        redis.ErrorMessage += (_, error) => LogError(error.Message);
        var before = Interlocked.Exchange(ref _redis, redis);
        before?.Close(allowCommandsToComplete: false);
        _messages = null;
        await SubscribeAsync(redis);
        Volatile.Write(ref _subscriber, redis.GetSubscriber());
        LogConnected(redis.IsConnected);
        // The client was disposed while the new one connected, so Dispose did not dispose the new one.
        if (Volatile.Read(ref _isDisposed) == 1)
            redis.Dispose();
    }

    /// <summary>Subscribes once. The client itself restores the subscription after each reconnect.</summary>
    private async Task SubscribeAsync(ConnectionMultiplexer redis)
    {
        try
        {
            var messages = await redis.GetSubscriber().SubscribeAsync(_channel);
            // The queue calls its handler for one message at a time, so messages stay in the order of Redis.
            messages.OnMessage(message => OnSaid(message.Message));
            _messages = messages;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            LogLost(exception, EndPoints);
        }
    }

    public void Dispose()
    {
        // A container that registers this object under two types disposes it twice.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        _ = _beating.StopAsync();
        _redis?.Dispose();
    }

    private async Task BeatAsync(BackgroundLoop loop, CancellationToken stop)
    {
        while (true)
        {
            Beat();
            await Task.Delay(BeatInterval, TimeProvider.System, stop);
            if (_messages is null && _redis is { IsConnected: true } redis)
                await SubscribeAsync(redis);
            if (IsDeafForLong())
                await OpenAsync();
            loop.ReportSuccess();
        }
    }

    /// <summary>Returns whether to create a new client. A client that has lost its subscription, or treats a dead connection as open, would
    /// keep this node deaf.</summary>
    private bool IsDeafForLong()
    {
        lock (_line)
        {
            if (_isHearing || _beat - _floor < MaxDeaf)
                return false;
            _floor = _beat;
            return true;
        }
    }

    private void Beat()
    {
        long beat;
        lock (_line)
        {
            beat = ++_beat;
            if (_isHearing && beat - _heard > MaxUnheard)
                GoDeaf();
        }
        Publish(new CommitNotification(_id, default, [], beat));
    }

    private void OnBeat(long beat)
    {
        lock (_line)
        {
            _heard = Math.Max(_heard, beat);
            if (_isHearing || beat <= _floor)
                return;
            _isHearing = true;
            _store?.HintsCome(true);
        }
        LogHearing();
        _ = AskJournalAsync();
    }

    private void OnLost(ConnectionMultiplexer redis, ConnectionFailedEventArgs failed)
    {
        if (!ReferenceEquals(redis, Volatile.Read(ref _redis)))
            return;
        LogLost(failed.Exception, failed.EndPoint?.ToString() ?? "");
        lock (_line)
            GoDeaf();
    }

    // Requires _line.
    private void GoDeaf()
    {
        _floor = _beat;
        _isHearing = false;
        _store?.HintsCome(false);
    }

    /// <summary>Reads the head of the journal, because commit notifications were lost while this node was deaf.</summary>
    private async Task AskJournalAsync()
    {
        try
        {
            // Resolved late, because the container creates both the store and this object.
            if (_node is { } node && _services.GetService(typeof(IJournal)) is IJournal journal)
                node.OnReached(await journal.ReadHeadAsync(CancellationToken.None));
        }
#pragma warning disable CA1031 // the watcher of the store detects the commits later
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotAsked(exception);
        }
    }
}
