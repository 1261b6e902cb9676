using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit;

/// <summary>Represents an entry of a <see cref="TestLog"/>. Immutable.</summary>
/// <param name="Category">The category of the logger.</param>
/// <param name="Level">The level.</param>
/// <param name="Id">The event id.</param>
/// <param name="Text">The formatted message.</param>
/// <param name="Exception">The logged exception, or null.</param>
public sealed record TestLogEntry(string Category, LogLevel Level, int Id, string Text, Exception? Exception)
{
    /// <summary>Returns the whole entry as one text, with the stack trace of the exception.</summary>
    public override string ToString() => $"{Category} {Level} {Id} {Text} {Exception}";
}

/// <summary>Records all log entries and scopes, of all categories. Thread-safe.</summary>
public sealed class TestLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<TestLogEntry> _entries = new();

    /// <summary>Gets the entries so far, oldest first. A scope is an entry with the id 0 and the level
    /// <see cref="LogLevel.None"/>.</summary>
    public IReadOnlyList<TestLogEntry> Entries => [.. _entries];

    /// <summary>Gets the entries so far, each as one text.</summary>
    public IEnumerable<string> Lines => _entries.Select(static entry => entry.ToString());

    /// <summary>Gets all entries in one text, separated by line feeds.</summary>
    public string All => string.Join('\n', _entries);

    /// <summary>Removes and returns the entries so far.</summary>
    public IReadOnlyList<TestLogEntry> Take()
    {
        var taken = new List<TestLogEntry>();
        while (_entries.TryDequeue(out var entry))
            taken.Add(entry);
        return taken;
    }

    /// <summary>Returns a logger that writes to this log.</summary>
    /// <typeparam name="T">The type that names the category.</typeparam>
    public ILogger<T> For<T>() => new Logger<T>(new LoggerFactory([this]));

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new CategoryLogger(categoryName, _entries);

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => CreateLogger("").BeginScope(state);

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => CreateLogger("").Log(logLevel, eventId, state, exception, formatter);

    /// <inheritdoc/>
    public void Dispose() { }

    private sealed class CategoryLogger(string category, ConcurrentQueue<TestLogEntry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            entries.Enqueue(new TestLogEntry(category, LogLevel.None, 0, $"scope {state}", null));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => entries.Enqueue(new TestLogEntry(category, logLevel, eventId.Id, formatter(state, exception), exception));
    }
}
