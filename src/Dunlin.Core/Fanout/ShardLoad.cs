namespace Dunlin.Fanout;

/// <summary>Measures how long the events of one shard wait and how long its rounds take. Not thread-safe: the gate of the shard guards
/// it.</summary>
/// <remarks>
/// The lag of an event is the time from its commit until the shard has handed it to the sockets of its live readers. A reader whose own
/// queue is behind does not count, because the shard does not wait for it.
/// </remarks>
internal sealed class ShardLoad(TimeProvider time)
{
    // Weight of the last round. A pause of the collector in one round then hardly changes the estimate.
    private const double Weight = 0.125;

    // Seconds. Shorter rounds delay no event noticeably, so no answer waits for them.
    private const double LongRound = 0.001;

    // Events that share the send calls of one round. Further ones lengthen the round and hardly save calls.
    private const int SharedRound = 4;

    private List<PacedAnswer>? _answers;
    private double _cost; // seconds for each event of a round
    private int _waiting; // events in the inbox
    private long _waitingSince;
    private int _taken; // events of the round
    private long _takenSince;
    private long _began;
    private bool _isLong; // the round in progress, or the last one if none is
    private bool _isOpen;
    private bool _hasOpened;

    /// <summary>
    /// Gets whether answers to publishers wait: a long round is not open, or enough events wait for the next round.
    /// </summary>
    public bool HoldsAnswers => _isLong && (!_isOpen || _waiting >= SharedRound);

    /// <param name="events">The number of events that join the inbox.</param>
    /// <param name="at">The timestamp of their commit.</param>
    public void Post(int events, long at)
    {
        if (_waiting == 0)
            _waitingSince = at;
        _waiting += events;
    }

    /// <summary>Begins a round with all events of the inbox.</summary>
    public void BeginRound()
    {
        (_taken, _takenSince, _waiting) = (_waiting, _waitingSince, 0);
        if (_taken == 0)
            return;
        _began = time.GetTimestamp();
        (_isLong, _isOpen, _hasOpened) = (_taken * _cost >= LongRound, false, false);
    }

    /// <summary>Ends the round.</summary>
    /// <param name="answers">The answers that wait no longer. Those that missed the opening stay if another round follows at once. A round
    /// with mostly slow readers may not open; its answers do not stay.</param>
    /// <returns>The lag of the oldest event of the round; null if the round had none.</returns>
    public TimeSpan? EndRound(out List<PacedAnswer>? answers)
    {
        answers = null;
        if (_waiting == 0 || !_isLong || !_hasOpened)
        {
            _isLong = false;
            answers = TakeAnswers();
        }
        if (_taken == 0)
            return null;
        var now = time.GetTimestamp();
        var cost = time.GetElapsedTime(_began, now).TotalSeconds / _taken;
        _cost += (cost - _cost) * Weight;
        _taken = 0;
        return time.GetElapsedTime(_takenSince, now);
    }

    /// <summary>Adds an answer that waits for the round.</summary>
    public void Hold(PacedAnswer answer) => (_answers ??= []).Add(answer);

    /// <summary>Opens the round: publishers that are answered now send their next events just before the next round.</summary>
    /// <returns>The answers that waited; null if there are none.</returns>
    public List<PacedAnswer>? Open()
    {
        _isOpen = _hasOpened = true;
        return TakeAnswers();
    }

    /// <summary>Closes the round: the next event of a publisher that is answered now would just miss the next round.</summary>
    public void Close() => _isOpen = false;

    /// <summary>Returns the events that are not delivered yet, and their lag if <paramref name="more"/> events join them.</summary>
    public (int Events, TimeSpan Lag) Expect(int more)
    {
        var events = _taken + _waiting;
        var expected = TimeSpan.FromSeconds((events + more) * _cost);
        if (events == 0)
            return (0, expected);
        var age = time.GetElapsedTime(_taken > 0 ? _takenSince : _waitingSince);
        return (events, age > expected ? age : expected);
    }

    private List<PacedAnswer>? TakeAnswers()
    {
        var answers = _answers;
        _answers = null;
        return answers;
    }
}
