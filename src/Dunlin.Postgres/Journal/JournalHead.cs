using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Postgres.Journal;

/// <summary>The head of the journal as this node knows it, and whether the database is reachable. Thread-safe.</summary>
internal sealed partial class JournalHead(ILogger logger) : IDisposable
{
    private readonly CancellationTokenSource _faulted = new();
    private Exception? _fault;
    private Exception? _outage;
    private uint _epoch;
    private long _offset;
    private int _isOpen;

    /// <summary>Gets the signal that publishes a new head after commits of other nodes.</summary>
    public Signal<Position> Moved { get; } = new("the head of the journal", logger);

    public Position Position => new(_epoch, Volatile.Read(ref _offset));

    /// <summary>Gets the error that keeps the store from working, or null.</summary>
    public Exception? Outage => Volatile.Read(ref _fault) ?? Volatile.Read(ref _outage);

    public CancellationToken Faulted => _faulted.Token;

    /// <summary>Sets the initial head.</summary>
    public void Open(Position start)
    {
        _epoch = start.Epoch;
        Volatile.Write(ref _offset, start.Offset);
        Volatile.Write(ref _isOpen, 1);
    }

    /// <summary>Returns whether a head that was read with the lock held continues the history that this node knew when it requested the
    /// lock.</summary>
    public static bool Continues(Position known, Position start) => start.Epoch == known.Epoch && start.Offset >= known.Offset;

    /// <summary>Records a head that the database returned.</summary>
    /// <exception cref="Diagnostics.DunlinException">The head belongs to another epoch, so the store fails permanently.</exception>
    public void Observe(Position position)
    {
        if (position.Epoch != _epoch)
            throw Fail(
                $"The database has another journal (position {position}) than this node has read (position {Position}). Restart the node."
            );
        if (Raise(position))
            Moved.Publish(position);
    }

    /// <summary>Raises the head to the last event that the backplane delivered, if its events begin at or before the next offset.</summary>
    public void Follow(Position first, Position last)
    {
        if (last.Epoch == _epoch && first.Offset <= Volatile.Read(ref _offset) + 1 && Raise(last))
            Moved.Publish(last);
    }

    /// <summary>Raises the head to a newer position. Returns false if the position is not newer.</summary>
    public bool Raise(Position position)
    {
        for (var known = Volatile.Read(ref _offset); known < position.Offset; )
        {
            var seen = Interlocked.CompareExchange(ref _offset, position.Offset, known);
            if (seen == known)
                return true;
            known = seen;
        }
        return false;
    }

    /// <summary>Records that the database has responded.</summary>
    public void Reached()
    {
        if (Interlocked.Exchange(ref _outage, null) is not null)
            LogReached();
    }

    /// <summary>Records that the database has not responded.</summary>
    public void Lost(Exception exception)
    {
        if (Interlocked.Exchange(ref _outage, exception) is null && Volatile.Read(ref _isOpen) == 1)
            LogLost(exception);
    }

    /// <summary>Fails the store permanently, because positions sent to readers no longer match the database.</summary>
    public DunlinException Fail(string detail)
    {
        var fault = new InvalidOperationException(detail);
        if (Interlocked.CompareExchange(ref _fault, fault, null) is null)
        {
            LogFaulted(detail);
            ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _faulted, preferLocal: false);
        }
        return PostgresFaults.Unavailable("The store has failed and refuses all requests. Restart the process.", fault);
    }

    public void ThrowIfFaulted()
    {
        if (Volatile.Read(ref _fault) is { } fault)
            throw PostgresFaults.Unavailable("The store has failed and refuses all requests. Restart the process.", fault);
    }

    public void Dispose() => _faulted.Dispose();

    [LoggerMessage(2130, LogLevel.Warning, "The database cannot be reached; retrying. Writes are refused until it answers.")]
    private partial void LogLost(Exception exception);

    [LoggerMessage(2131, LogLevel.Information, "The database can be reached again.")]
    private partial void LogReached();

    [LoggerMessage(2132, LogLevel.Critical, "{Detail}")]
    private partial void LogFaulted(string detail);
}
