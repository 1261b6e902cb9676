using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fuzz.Tests;

/// <summary>Keeps what a client's fault must not leave in the log: errors, and stack traces at a level that operators read.</summary>
internal sealed class LogWatch : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _found = new();

    /// <summary>Takes what was found since the last call.</summary>
    public IReadOnlyList<string> Take()
    {
        var found = new List<string>();
        while (_found.TryDequeue(out var entry))
            found.Add(entry);
        return found;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _found);

    public void Dispose() { }

    private sealed class Logger(string category, ConcurrentQueue<string> found) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (logLevel >= LogLevel.Error || (exception is not null && logLevel >= LogLevel.Information))
                found.Enqueue($"{logLevel} {category}[{eventId.Id}] {formatter(state, exception)} {exception}");
        }
    }
}
