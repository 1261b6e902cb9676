using Dunlin.Journal;

namespace Dunlin.Postgres.Backplane;

/// <summary>Decides when this node reads commits of other nodes: never, after a wait, or at once. Only <see cref="OnCommitNotification"/>
/// and <see cref="HintsCome"/> are thread-safe; the watcher calls the other members.</summary>
/// <remarks>
/// Every committing transaction sends a notification with its last position (the advertised head). A backplane with events sends a commit
/// notification with the events themselves, sooner or later than that, which raises the known head.
/// <code>
/// in step    advertised &lt;= known                                   : nothing to do
/// expecting  advertised &gt; known, backplane connected               : waits for the events until the grace period ends
/// behind     advertised &gt; known, no backplane or events missed     : reads at once
/// in step   -- notification ----------------------> expecting or behind
/// expecting -- events from the backplane ---------> in step (or expecting a later position, with a new grace period)
/// expecting -- grace period over, no events ------> behind, also for later notifications until the next events arrive
/// behind    -- read ------------------------------> in step
/// </code>
/// Invariants: the known head grows only by events that this node reads, commits, or receives without a gap from the backplane. Each new
/// position is passed to the fan-out, which reads the journal if it has a gap. This class therefore decides only when to read, and never
/// which events exist. Lost backplane events cost the grace period (at most twice, if the ones before were late). A lost notification costs
/// one poll interval.
/// </remarks>
internal sealed class ExpectedHead(TimeSpan grace)
{
    private Position _told;
    private Position _expected;
    private TimeSpan _due;
    private long _hints;
    private long _hintsAtMiss = -1;
    private volatile bool _hintsCome;

    /// <summary>Gets or sets whether a backplane that delivers commits with their events is connected.</summary>
    public bool HintsCome
    {
        get => _hintsCome;
        set => _hintsCome = value;
    }

    /// <summary>Gets the last position that a notification advertised.</summary>
    public Position Advertised => _told;

    /// <summary>Records that the backplane has delivered events, new or not, which shows that it works.</summary>
    public void OnCommitNotification() => Interlocked.Increment(ref _hints);

    /// <summary>Records the position of a notification.</summary>
    public void OnTold(Position position, Position known)
    {
        // Ignore other epochs: another schema of the same database notifies on the same channel, or this database was restored, which the
        // next query of the head detects.
        if (position.Epoch == known.Epoch && position.Offset > _told.Offset)
            _told = position;
    }

    /// <summary>Returns the next step.</summary>
    /// <param name="known">The head that this node knows.</param>
    /// <param name="now">The time since any fixed moment, to measure the grace period.</param>
    public Decision Decide(Position known, TimeSpan now)
    {
        if (_told.Offset <= known.Offset)
            return Decision.InStep;
        var hints = Interlocked.Read(ref _hints);
        if (!_hintsCome || grace <= TimeSpan.Zero || hints == _hintsAtMiss)
            return Decision.Read(_told);
        if (_expected.Offset <= known.Offset)
            (_expected, _due) = (_told, now + grace);
        // A timer cannot wait for less than a millisecond.
        if (_due - now >= TimeSpan.FromMilliseconds(1))
            return Decision.Wait(_due - now);
        (_expected, _hintsAtMiss) = (default, hints);
        return Decision.Read(_told);
    }

    /// <summary>The next step of the watcher.</summary>
    /// <param name="Through">The position through which to read now. Null if there is nothing to read.</param>
    /// <param name="Patience">How long to wait before the next decision. Null if nothing is expected.</param>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    public readonly record struct Decision(Position? Through, TimeSpan? Patience)
    {
        public static Decision InStep => default;

        public static Decision Read(Position through) => new(through, null);

        public static Decision Wait(TimeSpan patience) => new(null, patience);
    }
}
