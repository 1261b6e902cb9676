using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Problems;

internal static partial class ProblemLog
{
    [LoggerMessage(4000, LogLevel.Error, "A request failed with an unexpected exception. Trace id: {TraceId}.")]
    public static partial void Unexpected(ILogger logger, string traceId, Exception exception);

    [LoggerMessage(4001, LogLevel.Warning, "A request failed with {Code}. Trace id: {TraceId}.")]
    public static partial void Failed(ILogger logger, string code, string traceId, Exception exception);

    [LoggerMessage(4002, LogLevel.Debug, "A request was refused with {Code} ({Status}). Trace id: {TraceId}.")]
    public static partial void Refused(ILogger logger, string code, int status, string traceId);

    [LoggerMessage(
        4003,
        LogLevel.Warning,
        "A request failed after its response had started; the connection was aborted. Trace id: {TraceId}."
    )]
    public static partial void ResponseBegun(ILogger logger, string traceId, Exception exception);

    [LoggerMessage(
        4004,
        LogLevel.Information,
        "A request was refused with {Code} after its response had started; the connection was aborted. Trace id: {TraceId}."
    )]
    public static partial void RefusedLate(ILogger logger, string code, string traceId);

    [LoggerMessage(4005, LogLevel.Debug, "The client disconnected before its request was answered. Trace id: {TraceId}.")]
    public static partial void PeerGone(ILogger logger, string traceId);

    [LoggerMessage(4006, LogLevel.Warning, "A request failed with {Code}: {Reason} Trace id: {TraceId}.")]
    public static partial void Unavailable(ILogger logger, string code, PeerText reason, string traceId);
}
