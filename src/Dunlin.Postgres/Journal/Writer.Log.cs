using Microsoft.Extensions.Logging;

namespace Dunlin.Postgres.Journal;

internal sealed partial class Writer
{
    [LoggerMessage(2122, LogLevel.Debug, "Closing an abandoned database connection failed.")]
    private partial void LogCloseFailed(Exception exception);

    [LoggerMessage(2123, LogLevel.Warning, "The connection was lost during a commit of {Count} events. Committed: {Committed}.")]
    private partial void LogResolved(Exception exception, int count, bool? committed);

    [LoggerMessage(
        2124,
        LogLevel.Error,
        "The connection was lost during a commit of {Count} events, and its outcome could not be read. The requests fail with outcome_unknown."
    )]
    private partial void LogUnresolved(Exception exception, int count);

    [LoggerMessage(
        2125,
        LogLevel.Warning,
        "Terminating the database session {ProcessId} of an abandoned unit of work failed. Writes of all nodes wait until the server ends it, after {Seconds} s without a command. To end the wait, run pg_terminate_backend."
    )]
    private partial void LogNotTerminated(Exception exception, int processId, double seconds);
}
