namespace Dunlin.Fanout;

/// <content>Measures the lag of the shard, and decides when answers to publishers wait for a round.</content>
internal sealed partial class FanoutShard
{
    // Part of the readers of a round after which answers to publishers no longer wait, and after which they wait for the next round.
    private const double Opens = 0.4;
    private const double Closes = 0.9;

    // Connections between two offers of the core to other threads. On a full core the publishing threads would otherwise wait for a whole
    // time slice at each step of a request.
    private const int YieldsEvery = 32;

    private readonly ShardLoad _load = new(fanout.Time);
    private int _flushed; // connections of the round that are flushed
    private int _opensAt;
    private int _closesAt;

    /// <summary>Returns the events that are not delivered yet, and their lag if <paramref name="more"/> events join them.</summary>
    public (int Events, TimeSpan Lag) Expect(int more)
    {
        lock (_gate)
            return _load.Expect(more);
    }

    /// <summary>Adds an answer to those that wait for the round, if a long one is under way. Creates the answer if it is null.</summary>
    public void Hold(ref PacedAnswer? answer)
    {
        lock (_gate)
        {
            if (!_load.HoldsAnswers)
                return;
            answer ??= new PacedAnswer();
            answer.AddShard();
            _load.Hold(answer);
        }
    }

    private void EndRound()
    {
        TimeSpan? lag;
        List<PacedAnswer>? answers;
        lock (_gate)
            lag = _load.EndRound(out answers);
        Signal(answers);
        if (lag is not { } measured)
            return;
        if (_flushed > 0)
            fanout.Instruments.Lag.Record(measured.TotalSeconds);
        fanout.Flow.OnDelivered();
    }

    private void ExpectFlushes(int connections) =>
        (_opensAt, _closesAt) = (Math.Max(1, (int)(connections * Opens)), (int)(connections * Closes));

    private void Flush(EventStreamConnection connection)
    {
        connection.EndRound();
        if (++_flushed % YieldsEvery == 0)
            Thread.Yield();
        if (_flushed == _opensAt)
        {
            List<PacedAnswer>? answers;
            lock (_gate)
                answers = _load.Open();
            Signal(answers);
        }
        else if (_flushed == _closesAt)
        {
            lock (_gate)
                _load.Close();
        }
    }

    private static void Signal(List<PacedAnswer>? answers)
    {
        if (answers is null)
            return;
        foreach (var answer in answers)
            answer.Signal();
    }
}
