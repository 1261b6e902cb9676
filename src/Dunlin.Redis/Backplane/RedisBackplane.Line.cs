using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dunlin.Redis.Backplane;

/// <content>
/// The line to Redis. That a connection is open says little: its subscription may not be back yet, or Redis stand still. So this
/// node says something now and then, and believes in Redis as long as it hears itself.
/// <code>
///   deaf     : the store reads what notifications tell of at once
///   hearing  : hints come, and the store waits a moment for them
///   deaf    -- the node hears a beat that it sent since it went deaf --> hearing: asks the journal for what it missed
///   hearing -- a connection fails, or three beats go unheard ----------> deaf
///   deaf    -- ten beats go unheard -----------------------------------> deaf, with a new client
/// </code>
/// </content>
internal sealed partial class RedisBackplane
{
    /// <summary>Beats that may go unheard: one that is late is not an outage.</summary>
    private const int MaxUnheard = 3;

    /// <summary>Beats that a client is given to come back by itself: longer than its own attempts take.</summary>
    private const int MaxDeaf = 10;

    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);
    private static readonly LoopBackoff Backoff = new(BeatInterval, 2 * BeatInterval);

    private readonly Lock _line = new(); // guards _beat, _heard, _floor, _isHearing and what is told of it
    private readonly BackgroundLoop _beating;
    private int _isDisposed;
    private ConnectionMultiplexer? _redis;
    private ChannelMessageQueue? _messages; // null until the client has subscribed
    private long _beat;
    private long _heard;
    private long _floor;
    private volatile bool _isHearing;

    // Not the configuration as it is: it may hold a password.
    private string EndPoints => string.Join(", ", ConfigurationOptions.Parse(_options.Configuration).EndPoints);

    /// <summary>Whether this node hears what is published now.</summary>
    public bool IsHearing => _isHearing;

    /// <summary>Begins to connect, and goes on trying.</summary>
    public async Task ConnectAsync()
    {
        await OpenAsync();
        _beating.Start();
    }

    private async Task OpenAsync()
    {
        var configuration = ConfigurationOptions.Parse(_options.Configuration);
        configuration.AbortOnConnectFail = false;
        // A notification that waits for a connection is worthless by then: the other nodes read the journal.
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
        // Disposed while the new client connected: Dispose did not see it.
        if (Volatile.Read(ref _isDisposed) == 1)
            redis.Dispose();
    }

    /// <summary>Subscribes once; a client that has subscribed renews the subscription itself at every new connection.</summary>
    private async Task SubscribeAsync(ConnectionMultiplexer redis)
    {
        try
        {
            var messages = await redis.GetSubscriber().SubscribeAsync(_channel);
            // A queue calls its handler for one message after another, so notifications keep the order in which Redis sent them.
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
        // A container that knows this by two names disposes it twice.
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

    /// <summary>Whether to begin with a new client: one that has come back without its subscription, or believes in a line that is dead,
    /// would leave this node deaf for as long as it does.</summary>
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

    // Only under _line.
    private void GoDeaf()
    {
        _floor = _beat;
        _isHearing = false;
        _store?.HintsCome(false);
    }

    /// <summary>While this node was deaf hints were lost: the journal tells what they would have told.</summary>
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

    [LoggerMessage(2200, LogLevel.Information, "The Redis backplane has subscribed to its channel. Connected: {IsConnected}.")]
    private partial void LogConnected(bool isConnected);

    [LoggerMessage(
        2201,
        LogLevel.Warning,
        "Redis at {EndPoint} cannot be reached; reconnecting. Events of other nodes arrive through the store, with a delay."
    )]
    private partial void LogLost(Exception? exception, string endPoint);

    [LoggerMessage(2202, LogLevel.Warning, "Redis returned an error: {Error}. Check RedisOptions.Configuration and the Redis server.")]
    private partial void LogError(PeerText error);

    [LoggerMessage(
        2206,
        LogLevel.Warning,
        "Reading the journal after a reconnect to Redis failed. The store's own notifications continue."
    )]
    private partial void LogNotAsked(Exception exception);

    [LoggerMessage(2207, LogLevel.Information, "Redis delivers the commits of other nodes.")]
    private partial void LogHearing();
}
