using System.Runtime.InteropServices;

namespace Dunlin.Jobs;

/// <summary>Chooses the next of the due jobs. Not thread-safe.</summary>
/// <remarks>
/// Each fairness key has a lane. The lane with the fewest running jobs is first; among equal lanes, the least recently served one. Within a
/// lane, the oldest job whose concurrency key is below its limit is first. A choice takes logarithmic time in the number of waiting jobs,
/// plus one step per lane whose jobs are all at their limit.
/// </remarks>
internal sealed class JobTurns(int maxPerFairnessKey, int maxPerConcurrencyKey)
{
    private static readonly Comparer<Lane> ByTurn = Comparer<Lane>.Create(
        static (a, b) => a.Running != b.Running ? a.Running.CompareTo(b.Running) : a.Served.CompareTo(b.Served)
    );

    private static readonly Comparer<ScheduledJob> ByAge = Comparer<ScheduledJob>.Create(
        static (a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : string.CompareOrdinal(a.Id, b.Id)
    );

    private static readonly Comparer<Cell> ByFirst = Comparer<Cell>.Create(static (a, b) => ByAge.Compare(a.First, b.First));

    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly Lane _shared = new(null);
    private readonly SortedSet<Lane> _open = new(ByTurn);
    private readonly Dictionary<string, int> _inUse = new(StringComparer.Ordinal);
    private long _served;

    /// <summary>Adds a due job, which then waits for its turn.</summary>
    public void Add(ScheduledJob job)
    {
        job.IsReady = true;
        var lane = LaneOf(job.FairnessKey);
        Change(lane, static (lane, job) => lane.Add(job), job);
    }

    /// <summary>Removes a waiting job.</summary>
    public void Remove(ScheduledJob job)
    {
        job.IsReady = false;
        var lane = LaneOf(job.FairnessKey);
        Change(lane, static (lane, job) => lane.Remove(job), job);
    }

    /// <summary>Returns the job whose turn it is; null if none may start.</summary>
    public ScheduledJob? Peek()
    {
        foreach (var lane in _open)
        {
            foreach (var cell in lane.Cells)
            {
                if (HasRoom(cell.Key))
                    return cell.First;
            }
        }
        return null;
    }

    /// <summary>Removes the job whose turn it is, and counts it against the limits of its keys.</summary>
    public ScheduledJob? Take()
    {
        if (Peek() is not { } job)
            return null;
        job.IsReady = false;
        if (job.ConcurrencyKey is { } key)
            CollectionsMarshal.GetValueRefOrAddDefault(_inUse, key, out _)++;
        var served = ++_served;
        Change(
            LaneOf(job.FairnessKey),
            (lane, job) =>
            {
                lane.Remove(job);
                lane.Running++;
                lane.Served = served;
            },
            job
        );
        return job;
    }

    /// <summary>Stops counting a job returned by <see cref="Take"/>.</summary>
    public void Release(ScheduledJob job)
    {
        if (job.ConcurrencyKey is { } key && --CollectionsMarshal.GetValueRefOrAddDefault(_inUse, key, out _) == 0)
            _inUse.Remove(key);
        Change(LaneOf(job.FairnessKey), static (lane, _) => lane.Running--, job);
    }

    private bool HasRoom(string? concurrencyKey) =>
        concurrencyKey is null || maxPerConcurrencyKey == 0 || _inUse.GetValueOrDefault(concurrencyKey) < maxPerConcurrencyKey;

    private Lane LaneOf(string? key)
    {
        if (key is null)
            return _shared;
        // A new lane is last: a key with single jobs now and then must not overtake waiting lanes.
        return _lanes.TryGetValue(key, out var lane) ? lane : _lanes[key] = new Lane(key) { Served = ++_served };
    }

    // Remove the lane from the sorted set before its sort key changes.
    private void Change(Lane lane, Action<Lane, ScheduledJob> change, ScheduledJob job)
    {
        _open.Remove(lane);
        change(lane, job);
        if (lane.Cells.Count > 0 && (lane.Key is null || maxPerFairnessKey == 0 || lane.Running < maxPerFairnessKey))
            _open.Add(lane);
        else if (lane is { Key: { } key, Running: 0 } && lane.Cells.Count == 0)
            _lanes.Remove(key);
    }

    /// <summary>The waiting jobs of one fairness key. Jobs without a key share one lane, which has no limit.</summary>
    private sealed class Lane(string? key)
    {
        private readonly Dictionary<string, Cell> _cells = new(StringComparer.Ordinal);
        private readonly Cell _free = new(null);

        public string? Key => key;

        public int Running { get; set; }

        public long Served { get; set; }

        /// <summary>Gets the cells with jobs, ordered by their oldest job.</summary>
        public SortedSet<Cell> Cells { get; } = new(ByFirst);

        public void Add(ScheduledJob job)
        {
            if (job.ConcurrencyKey is not { } key)
                Change(_free, job, isAdded: true);
            else
                Change(_cells.TryGetValue(key, out var cell) ? cell : _cells[key] = new Cell(key), job, isAdded: true);
        }

        public void Remove(ScheduledJob job) => Change(job.ConcurrencyKey is { } key ? _cells[key] : _free, job, isAdded: false);

        private void Change(Cell cell, ScheduledJob job, bool isAdded)
        {
            if (cell.Jobs.Count > 0)
                Cells.Remove(cell);
            if (isAdded)
                cell.Jobs.Add(job);
            else
                cell.Jobs.Remove(job);
            if (cell.Jobs.Count > 0)
                Cells.Add(cell);
            else if (cell.Key is { } key)
                _cells.Remove(key);
        }
    }

    /// <summary>The waiting jobs of one lane and one concurrency key.</summary>
    private sealed class Cell(string? key)
    {
        public string? Key => key;

        public SortedSet<ScheduledJob> Jobs { get; } = new(ByAge);

        public ScheduledJob First => Jobs.Min!;
    }
}
