using Microsoft.Extensions.Logging;

namespace Dunlin.Sqlite.Journal;

internal sealed partial class Writer
{
    [LoggerMessage(2020, LogLevel.Critical, "The store has failed and refuses everything from now on. Check the disk, then start the process again.")]
    private partial void LogFaulted(Exception exception);

    [LoggerMessage(2021, LogLevel.Warning, "A batch of {Count} writes was rolled back.")]
    private partial void LogBatchFailed(Exception exception, int count);

    [LoggerMessage(2022, LogLevel.Error, "A receiver of committed events threw; it must not.")]
    private partial void LogReceiverFailed(Exception exception);

    [LoggerMessage(2023, LogLevel.Warning, "The writer goes on with a new connection, because the old one is held by a unit of work that did not end or ended the transaction itself.")]
    private partial void LogReconnected();

    [LoggerMessage(2024, LogLevel.Warning, "The old connection of the writer could not be closed.")]
    private partial void LogCloseFailed(Exception exception);
}
