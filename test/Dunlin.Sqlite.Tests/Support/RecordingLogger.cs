using System.Collections.Concurrent;
using Dunlin.Journal;
using Microsoft.Extensions.Logging;

namespace Dunlin.Sqlite.Tests.Support;

/// <summary>Keeps what was logged.</summary>
public sealed class RecordingLogger : ILogger<SqliteStore>, ILogger<CommitFeed>
{
    private readonly ConcurrentQueue<(int Id, string Text)> _entries = new();

    public IEnumerable<(int Id, string Text)> Entries => _entries;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => _entries.Enqueue((eventId.Id, formatter(state, exception)));
}
