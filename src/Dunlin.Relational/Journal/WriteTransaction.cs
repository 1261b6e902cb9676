global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;
using System.Data.Common;
using System.Runtime.InteropServices;
using Dunlin.Journal;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Journal;

/// <summary>
/// The transaction of one batch of the writer, and the events that it has appended so far. Offsets are taken inside the transaction; a
/// request that fails gives its offsets back with its rows, so the next request uses them and no gap arises. Used by one caller at a time.
/// </summary>
internal abstract class WriteTransaction : IAppendSession
{
    private List<DunlinEvent> _events = [];
    private Position _start;

    /// <summary>The session of the transaction.</summary>
    public abstract ISqlSession Session { get; }

    /// <summary>The transaction as ADO.NET knows it. Valid in a batch that has a unit of work.</summary>
    public abstract DbTransaction Transaction { get; }

    /// <summary>The time by the clock that judges leases.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>Whether the transaction can go on. A statement of the application may have ended it.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>The events appended since the begin.</summary>
    public IReadOnlyList<DunlinEvent> Events => _events;

    /// <summary>The last offset that readers could see at the begin.</summary>
    public Position Start => _start;

    /// <summary>The last offset appended, committed or not.</summary>
    public Position Head => _start with { Offset = _start.Offset + _events.Count };

    public Position NextPosition => _start with { Offset = _start.Offset + _events.Count + 1 };

    /// <summary>The state to return to if the next request fails.</summary>
    public Mark Here => new(_events.Count, SideCount);

    /// <summary>The number of changes in memory beside events.</summary>
    protected abstract int SideCount { get; }

    /// <summary>The time of the next event, in whole milliseconds.</summary>
    protected abstract DateTimeOffset EventTime { get; }

    /// <summary>Marks the place to which the request rolls back, if it can fail half done.</summary>
    public abstract ValueTask BeginRequestAsync(WriteRequest request);

    /// <summary>The request has succeeded.</summary>
    public abstract ValueTask EndRequestAsync(WriteRequest request);

    /// <summary>The request has failed: takes back its rows and <see cref="TakeBack"/>s its events.</summary>
    public abstract ValueTask RollBackRequestAsync(WriteRequest request, Mark mark);

    /// <summary>Starts the time limit of a unit of work.</summary>
    public abstract IUnitLimit StartLimit(CancellationToken caller);

    /// <summary>Returns a fencing token larger than all before, rolled back ones too.</summary>
    public abstract ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken);

    /// <summary>Refuses an event that cannot be stored.</summary>
    /// <exception cref="Diagnostics.DunlinException">Which field, and why.</exception>
    public virtual void Check(EventDraft draft) => AppendRules.Check(draft);

    public Position Append(EventDraft draft)
    {
        var entry = new DunlinEvent(NextPosition, draft.Topic, draft.Type, draft.Data, draft.Origin, EventTime);
        Insert(entry);
        _events.Add(entry);
        return entry.Position;
    }

    public abstract KeyAnswer? FindAnswer(IdempotencyKey key);

    public abstract void SaveAnswer(KeyAnswer answer);

    /// <summary>Takes back, in memory, the changes since a mark.</summary>
    public void TakeBack(Mark mark)
    {
        _events.RemoveRange(mark.Events, _events.Count - mark.Events);
        TakeBackSide(mark.Side);
    }

    /// <summary>Begins a new batch after an offset.</summary>
    protected void Restart(Position start) => (_start, _events) = (start, []);

    protected virtual void Insert(DunlinEvent entry) { }

    protected abstract void TakeBackSide(int count);

    /// <summary>A state to return to.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Mark(int Events, int Side);
}
