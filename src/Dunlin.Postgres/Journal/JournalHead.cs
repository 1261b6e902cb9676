using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Postgres.Journal;

/// <summary>How far this node knows the journal, and whether the database can be reached. Safe for concurrent use.</summary>
internal sealed partial class JournalHead(ILogger logger) : IDisposable
{
    private readonly CancellationTokenSource _faulted = new();
    private Exception? _fault;
    private Exception? _outage;
    private uint _epoch;
    private long _offset;
    private int _isOpen;

    /// <summary>Another node's commit has moved the head to this position.</summary>
    public Signal<Position> Moved { get; } = new("the head of the journal", logger);

    public Position Position => new(_epoch, Volatile.Read(ref _offset));

    /// <summary>What keeps the store from working now; null while it works.</summary>
    public Exception? Outage => Volatile.Read(ref _fault) ?? Volatile.Read(ref _outage);

    public CancellationToken Faulted => _faulted.Token;

    /// <summary>Begins at what the database holds.</summary>
    public void Open(Position start)
    {
        _epoch = start.Epoch;
        Volatile.Write(ref _offset, start.Offset);
        Volatile.Write(ref _isOpen, 1);
    }

    /// <summary>Whether a head read with the lock held continues the history that this node knew when it asked for the lock.</summary>
    public static bool Continues(Position known, Position start) => start.Epoch == known.Epoch && start.Offset >= known.Offset;

    /// <summary>Takes in a position that the database told: of this history, and perhaps newer than what is known.</summary>
    public void Observe(Position position)
    {
        if (position.Epoch != _epoch)
            throw Fail(
                $"The database has another journal (position {position}) than this node has read (position {Position}). Restart the node."
            );
        if (Raise(position))
            Moved.Publish(position);
    }

    /// <summary>Moves on by the events that a hint has brought, if they begin where this node is, or before.</summary>
    public void Follow(Position first, Position last)
    {
        if (last.Epoch == _epoch && first.Offset <= Volatile.Read(ref _offset) + 1 && Raise(last))
            Moved.Publish(last);
    }

    /// <summary>Moves on to a position, if it is newer.</summary>
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

    /// <summary>The database has answered.</summary>
    public void Reached()
    {
        if (Interlocked.Exchange(ref _outage, null) is not null)
            LogReached();
    }

    /// <summary>The database has not answered.</summary>
    public void Lost(Exception exception)
    {
        if (Interlocked.Exchange(ref _outage, exception) is null && Volatile.Read(ref _isOpen) == 1)
            LogLost(exception);
    }

    /// <summary>Gives up for good: what this node has told its readers is no longer what the database holds.</summary>
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
