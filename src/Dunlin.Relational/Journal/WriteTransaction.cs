global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;
using System.Data.Common;
using System.Runtime.InteropServices;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Journal;

/// <summary>The transaction of one batch of the writer, and the events appended in it. Not thread-safe.</summary>
/// <remarks>Offsets are assigned inside the transaction. A failed request returns its offsets along with its rows. The next request reuses
/// them, so no gap arises.</remarks>
internal abstract class WriteTransaction : IAppendSession
{
    private List<DunlinEvent> _events = [];
    private Position _start;

    /// <summary>Gets the session of the transaction.</summary>
    public abstract ISqlSession Session { get; }

    /// <summary>Gets the ADO.NET transaction. Valid in a batch with a unit of work.</summary>
    public abstract DbTransaction Transaction { get; }

    /// <summary>Gets the current time of the clock that decides the expiry of leases.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>Gets whether the transaction is still open. A statement of the application may have ended it.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Gets the events appended since the transaction began.</summary>
    public IReadOnlyList<DunlinEvent> Events => _events;

    /// <summary>Gets the last offset that was visible to readers when the transaction began.</summary>
    public Position Start => _start;

    /// <summary>Gets the last appended offset, committed or not.</summary>
    public Position Head => _start with { Offset = _start.Offset + _events.Count };

    public Position NextPosition => _start with { Offset = _start.Offset + _events.Count + 1 };

    /// <summary>Gets the state to restore if the next request fails.</summary>
    public Mark Here => new(_events.Count, SideCount);

    /// <summary>Gets the rows of streams that this transaction has read. They cannot change otherwise, because it holds the lock of all
    /// writers.</summary>
    public Dictionary<TopicName, StreamRow> StreamRows { get; } = [];

    /// <summary>Gets the number of changes in memory other than events.</summary>
    protected abstract int SideCount { get; }

    /// <summary>Gets the time of the next event, in whole milliseconds.</summary>
    protected abstract DateTimeOffset EventTime { get; }

    /// <summary>Sets a savepoint for a request that can fail halfway.</summary>
    public abstract ValueTask BeginRequestAsync(WriteRequest request);

    /// <summary>Completes a request that has succeeded.</summary>
    public abstract ValueTask EndRequestAsync(WriteRequest request);

    /// <summary>Rolls back the rows of a failed request, and calls <see cref="TakeBack"/> for its events.</summary>
    public abstract ValueTask RollBackRequestAsync(WriteRequest request, Mark mark);

    /// <summary>Starts the time limit of a unit of work.</summary>
    public abstract IUnitLimit StartLimit(CancellationToken caller);

    /// <summary>Returns a fencing token larger than all earlier ones, including those that were rolled back.</summary>
    public abstract ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken);

    /// <summary>Throws if the event cannot be stored.</summary>
    /// <exception cref="Diagnostics.DunlinException">A field is invalid. The error names the field and the reason.</exception>
    public virtual void Check(EventDraft draft) => AppendRules.Check(draft);

    public Position Append(EventDraft draft)
    {
        var entry = new DunlinEvent(NextPosition, draft, EventTime);
        Insert(entry);
        _events.Add(entry);
        return entry.Position;
    }

    public abstract KeyAnswer? FindAnswer(IdempotencyKey key);

    public abstract void SaveAnswer(KeyAnswer answer);

    /// <summary>Reverts the changes in memory since a mark.</summary>
    public void TakeBack(Mark mark)
    {
        _events.RemoveRange(mark.Events, _events.Count - mark.Events);
        StreamRows.Clear();
        TakeBackSide(mark.Side);
    }

    /// <summary>Starts a new batch after an offset.</summary>
    protected void Restart(Position start)
    {
        (_start, _events) = (start, []);
        StreamRows.Clear();
    }

    protected virtual void Insert(DunlinEvent entry) { }

    protected abstract void TakeBackSide(int count);

    /// <summary>A state that can be restored.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Mark(int Events, int Side);
}
