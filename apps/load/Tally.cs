namespace Dunlin.Apps.Load;

/// <summary>Counts the results of a run. Thread-safe.</summary>
public sealed class Tally
{
    private long _published;
    private long _refused;
    private long _delivered;
    private long _missed;
    private long _repeated;
    private long _reconnects;
    private int _open;

    /// <summary>Durations from publish to delivery in this phase.</summary>
    public Histogram Deliveries { get; private set; } = new();

    /// <summary>Durations from publish to answer in this phase.</summary>
    public Histogram Answers { get; private set; } = new();

    public long Published => Volatile.Read(ref _published);

    public long Refused => Volatile.Read(ref _refused);

    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Events that a reader never received although it received later ones of the same publisher.</summary>
    public long Missed => Volatile.Read(ref _missed);

    public long Repeated => Volatile.Read(ref _repeated);

    public long Reconnects => Volatile.Read(ref _reconnects);

    public int Open => Volatile.Read(ref _open);

    /// <summary>The last unsuccessful answer, for the report.</summary>
    public string? Problem { get; set; }

    /// <summary>The answer to a stream that will be refused again; null for none.</summary>
    public string? Refusal { get; set; }

    public void StartPhase() => (Deliveries, Answers) = (new Histogram(), new Histogram());

    public void CountAnswer(long microseconds)
    {
        Interlocked.Increment(ref _published);
        Answers.Add(microseconds);
    }

    public void CountRefusal(string problem)
    {
        Interlocked.Increment(ref _refused);
        Problem = problem;
    }

    public void CountDelivery(long microseconds)
    {
        Interlocked.Increment(ref _delivered);
        Deliveries.Add(microseconds);
    }

    public void CountMissed(long events) => Interlocked.Add(ref _missed, events);

    public void CountRepeated() => Interlocked.Increment(ref _repeated);

    public void CountOpen(int change) => Interlocked.Add(ref _open, change);

    public void CountReconnect(string problem)
    {
        Interlocked.Increment(ref _reconnects);
        Problem = problem;
    }
}
