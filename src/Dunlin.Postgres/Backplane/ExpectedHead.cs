using Dunlin.Journal;

namespace Dunlin.Postgres.Backplane;

/// <summary>
/// What others are said to have committed, and what that asks of this node: nothing, to wait a moment, or to read. Every committing
/// transaction notifies of the position that it reached (told); a hint brings its events (known), sooner or later than that.
/// <code>
///   in step    told &lt;= known                                : nothing to do
///   expecting  told &gt; known, hints come                     : waits for the hint until the grace is over
///   behind     told &gt; known, no hints, or one was missed    : reads at once
///
///   in step   -- notification --------> expecting, or behind
///   expecting -- hint ----------------> in step (or expecting what was told meanwhile, with a new grace)
///   expecting -- grace over, no hints-> behind, and so for every notification until the next hint is heard
///   behind    -- read ----------------> in step
/// </code>
/// Invariants: what is known grows by what was read, committed here, or brought by a hint that begins right after it, never by
/// guessing; whoever learns of a position hands it to the fan-out, which reads the journal wherever it has a gap. So this decides
/// when to look, never what exists: a hint that is lost costs the grace (twice at most, where it comes behind one that is late) and
/// a notification that is lost costs one poll. Hints are heard on any thread; all else is for the one who watches.
/// </summary>
internal sealed class ExpectedHead(TimeSpan grace)
{
    private Position _told;
    private Position _expected;
    private TimeSpan _due;
    private long _hints;
    private long _hintsAtMiss = -1;
    private volatile bool _hintsCome;

    /// <summary>Whether a backplane brings commits with their events now.</summary>
    public bool HintsCome
    {
        get => _hintsCome;
        set => _hintsCome = value;
    }

    /// <summary>The last position that a notification named.</summary>
    public Position Advertised => _told;

    /// <summary>A hint was heard, whether it brought anything new or not: they do come.</summary>
    public void OnCommitNotification() => Interlocked.Increment(ref _hints);

    /// <summary>A notification was heard.</summary>
    public void OnTold(Position position, Position known)
    {
        // Another history is another schema of the same database, whose nodes notify on the same channel; or this one was set back,
        // which the next look at the head finds out.
        if (position.Epoch == known.Epoch && position.Offset > _told.Offset)
            _told = position;
    }

    /// <summary>What is to be done.</summary>
    /// <param name="known">How far this node is.</param>
    /// <param name="now">The time since any fixed moment, for measuring the grace.</param>
    public Decision Decide(Position known, TimeSpan now)
    {
        if (_told.Offset <= known.Offset)
            return Decision.InStep;
        var hints = Interlocked.Read(ref _hints);
        if (!_hintsCome || grace <= TimeSpan.Zero || hints == _hintsAtMiss)
            return Decision.Read(_told);
        if (_expected.Offset <= known.Offset)
            (_expected, _due) = (_told, now + grace);
        // A rest of less than a millisecond cannot be waited for.
        if (_due - now >= TimeSpan.FromMilliseconds(1))
            return Decision.Wait(_due - now);
        (_expected, _hintsAtMiss) = (default, hints);
        return Decision.Read(_told);
    }

    /// <summary>What is to be done.</summary>
    /// <param name="Through">To be read up to here, now; null where there is nothing to read yet.</param>
    /// <param name="Patience">How long to wait before asking again; null where nothing is expected.</param>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    public readonly record struct Decision(Position? Through, TimeSpan? Patience)
    {
        public static Decision InStep => default;

        public static Decision Read(Position through) => new(through, null);

        public static Decision Wait(TimeSpan patience) => new(null, patience);
    }
}
