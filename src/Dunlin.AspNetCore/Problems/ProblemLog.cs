using Microsoft.Extensions.Logging;

namespace Dunlin.Problems;

internal static partial class ProblemLog
{
    [LoggerMessage(4000, LogLevel.Error, "A request failed unexpectedly; its caller was shown the trace id {TraceId}.")]
    public static partial void Unexpected(ILogger logger, string traceId, Exception exception);

    [LoggerMessage(4001, LogLevel.Warning, "A request failed with {Code}; trace id {TraceId}.")]
    public static partial void Failed(ILogger logger, string code, string traceId, Exception exception);

    [LoggerMessage(4002, LogLevel.Debug, "A request was refused with {Code} ({Status}); trace id {TraceId}.")]
    public static partial void Refused(ILogger logger, string code, int status, string traceId);

    [LoggerMessage(
        4003,
        LogLevel.Warning,
        "A request failed after its response had begun, so the connection was aborted; trace id {TraceId}."
    )]
    public static partial void ResponseBegun(ILogger logger, string traceId, Exception exception);

    [LoggerMessage(
        4004,
        LogLevel.Information,
        "A request was refused with {Code} after its response had begun, so the connection was aborted; trace id {TraceId}."
    )]
    public static partial void RefusedLate(ILogger logger, string code, string traceId);

    [LoggerMessage(4005, LogLevel.Debug, "The peer was gone before its request was answered; trace id {TraceId}.")]
    public static partial void PeerGone(ILogger logger, string traceId);
}
