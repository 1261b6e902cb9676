using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Redis.Backplane;

internal sealed partial class RedisBackplane
{
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
        2203,
        LogLevel.Warning,
        "The Redis queue is full with {MaxWaiting} notifications; new ones are dropped. Other nodes read the journal instead, with a delay. Check Redis."
    )]
    private partial void LogDropping(int maxWaiting);

    [LoggerMessage(2204, LogLevel.Debug, "A notification was not published to Redis. Other nodes read the journal instead.")]
    private partial void LogNotPublished(Exception exception);

    [LoggerMessage(
        2205,
        LogLevel.Warning,
        "Ignored a message of {Count} bytes on the Redis channel. Give each site its own RedisOptions.Channel, and upgrade all nodes to one version."
    )]
    private partial void LogNotUnderstood(int count);

    [LoggerMessage(
        2206,
        LogLevel.Warning,
        "Reading the journal after a reconnect to Redis failed. The store's own notifications continue."
    )]
    private partial void LogNotAsked(Exception exception);

    [LoggerMessage(2207, LogLevel.Information, "Redis delivers the commits of other nodes.")]
    private partial void LogHearing();
}
