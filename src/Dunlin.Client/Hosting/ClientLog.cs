using Microsoft.Extensions.Logging;

namespace Dunlin.Client;

/// <summary>Log messages of the client: event ids 7000 to 7099.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(7000, LogLevel.Debug, "Stream {Stream} is live as connection {Connection}.")]
    public static partial void Live(this ILogger logger, int stream, QuotedText connection);

    [LoggerMessage(
        7001,
        LogLevel.Information,
        "Stream {Stream} ended ({Code}). The next attempt starts in {Delay} and resumes from the last position."
    )]
    public static partial void Waiting(this ILogger logger, int stream, QuotedText code, TimeSpan delay);

    [LoggerMessage(
        7002,
        LogLevel.Warning,
        "The server refused stream {Stream}: {Code}. The subscription stops; correct the cause and subscribe again."
    )]
    public static partial void Refused(this ILogger logger, int stream, QuotedText code);

    [LoggerMessage(7003, LogLevel.Warning, "The session of stream {Stream} ended: {Reason}. Sign in again and subscribe again.")]
    public static partial void SignedOut(this ILogger logger, int stream, SignedOutReason reason);

    [LoggerMessage(7004, LogLevel.Warning, "Stream {Stream} lost events ({Code}). The application has to read the current state again.")]
    public static partial void Reset(this ILogger logger, int stream, QuotedText code);

    [LoggerMessage(7005, LogLevel.Error, "OnStateChanged threw an exception. It must not throw; the subscription continues.")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        7010,
        LogLevel.Information,
        "The outcome of a publish is unknown ({Code}). Attempt {Attempt} repeats it with the same key in {Delay}."
    )]
    public static partial void PublishRepeated(this ILogger logger, QuotedText code, int attempt, TimeSpan delay);

    [LoggerMessage(7020, LogLevel.Warning, "The lease of '{Resource}' is lost: {Reason}. Stop writing, and acquire it again.")]
    public static partial void LeaseLost(this ILogger logger, QuotedText resource, QuotedText reason);

    [LoggerMessage(
        7021,
        LogLevel.Debug,
        "A renewal of the lease of '{Resource}' has no known outcome ({Code}). The client tries again before the lease expires."
    )]
    public static partial void RenewalUnknown(this ILogger logger, QuotedText resource, QuotedText code);

    [LoggerMessage(7022, LogLevel.Debug, "The release of the lease of '{Resource}' failed ({Code}). The lease expires by itself.")]
    public static partial void ReleaseFailed(this ILogger logger, QuotedText resource, QuotedText code);
}

/// <summary>A text of another party in a log message: control characters are escaped and the length is limited.</summary>
internal readonly record struct QuotedText(string? Text)
{
    private const int MaxLength = 200;

    public override string ToString() =>
        string.Concat((Text ?? "").Take(MaxLength).Select(static c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
}
