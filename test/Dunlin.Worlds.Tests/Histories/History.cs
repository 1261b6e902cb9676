using System.Globalization;

namespace Dunlin.Worlds.Tests.Histories;

/// <summary>A place in the journal, as on the wire.</summary>
internal readonly record struct Place(string Epoch, long Offset)
{
    public static Place Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return new Place(text[..dash], long.Parse(text.AsSpan(dash + 1), CultureInfo.InvariantCulture));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Offset}");
}

/// <summary>What a client knows of a write.</summary>
internal enum Outcome
{
    /// <summary>No answer, or the answer that the outcome is unknown: the event may be stored.</summary>
    Unknown,

    /// <summary>The server answered with the position.</summary>
    Acknowledged,

    /// <summary>The server answered that it stored nothing.</summary>
    Refused,
}

/// <summary>One event that a client tried to store.</summary>
/// <param name="Id">Unique in the history.</param>
/// <param name="Outcome">What the client knows.</param>
/// <param name="At">The acknowledged position.</param>
internal sealed record Write(string Id, Outcome Outcome, Place? At);

/// <summary>A write that requires a lease.</summary>
/// <param name="Id">The id of its <see cref="Write"/>.</param>
/// <param name="Resource">The resource.</param>
/// <param name="Token">The fencing token of the grant that the writer has, or had.</param>
/// <param name="Asked">When the request was sent.</param>
internal sealed record GuardedWrite(string Id, string Resource, long Token, TimeSpan Asked);

/// <summary>A grant that a client received.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The id that the client chose for this grant only.</param>
/// <param name="Token">The fencing token.</param>
/// <param name="Asked">When the request was sent.</param>
/// <param name="Answered">When the answer arrived.</param>
internal sealed record Grant(string Resource, string LeaseId, long Token, TimeSpan Asked, TimeSpan Answered);

/// <summary>A release that was acknowledged.</summary>
internal sealed record Release(string Resource, long Token, TimeSpan Answered);

/// <summary>What a reader received.</summary>
internal abstract record Seen(Place At);

/// <summary>The stream began at this position.</summary>
internal sealed record SeenStart(Place At) : Seen(At);

/// <summary>Events between the last position and this one may be missing; the server said so.</summary>
internal sealed record SeenReset(Place At, string Reason) : Seen(At);

/// <summary>An event.</summary>
/// <param name="At">Its position.</param>
/// <param name="Type">Its type.</param>
/// <param name="Id">The id of the write; null for an event of the engine.</param>
/// <param name="Resource">The resource of a lease event or a guarded write.</param>
/// <param name="Token">The fencing token of a lease event or a guarded write.</param>
internal sealed record SeenEvent(Place At, string Type, string? Id, string? Resource = null, long Token = 0) : Seen(At);

/// <summary>All that the clients of one run did and saw. Thread-safe; read it when the clients have ended.</summary>
internal sealed class History
{
    private readonly Lock _gate = new(); // guards the collections
    private readonly Dictionary<string, Write> _writes = new(StringComparer.Ordinal);
    private readonly List<GuardedWrite> _guarded = [];
    private readonly List<Grant> _grants = [];
    private readonly List<Release> _releases = [];
    private readonly Dictionary<string, List<Seen>> _readers = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private int _acknowledged;

    public IReadOnlyCollection<Write> Writes => _writes.Values;

    public IReadOnlyList<GuardedWrite> Guarded => _guarded;

    public IReadOnlyList<Grant> Grants => _grants;

    public IReadOnlyList<Release> Releases => _releases;

    public IReadOnlyDictionary<string, List<Seen>> Readers => _readers;

    /// <summary>Gets answers that a client must never receive, such as a status of 500.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Gets when the store went back to an earlier state; null if it did not.</summary>
    public TimeSpan? WentBack { get; set; }

    public int Acknowledged
    {
        get
        {
            lock (_gate)
                return _acknowledged;
        }
    }

    /// <summary>Returns the acknowledged writes so far.</summary>
    public HashSet<string> AcknowledgedIds()
    {
        lock (_gate)
            return _writes
                .Values.Where(write => write.Outcome == Outcome.Acknowledged)
                .Select(write => write.Id)
                .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Adds a write before its request is sent. Its outcome is unknown until an answer arrives.</summary>
    public void Begin(string id)
    {
        lock (_gate)
            _writes.TryAdd(id, new Write(id, Outcome.Unknown, null));
    }

    public void Begin(GuardedWrite write)
    {
        lock (_gate)
        {
            _writes.TryAdd(write.Id, new Write(write.Id, Outcome.Unknown, null));
            _guarded.Add(write);
        }
    }

    public void Acknowledge(string id, Place at)
    {
        lock (_gate)
        {
            if (_writes[id] is { Outcome: Outcome.Acknowledged, At: { } earlier } && earlier != at)
                _faults.Add($"{id} was acknowledged at {earlier} and at {at}");
            _writes[id] = new Write(id, Outcome.Acknowledged, at);
            _acknowledged++;
            foreach (var (count, reached) in _waiting)
            {
                if (_acknowledged >= count)
                    reached.TrySetResult();
            }
        }
    }

    public void Refuse(string id)
    {
        lock (_gate)
            _writes[id] = new Write(id, Outcome.Refused, null);
    }

    public void Add(Grant grant)
    {
        lock (_gate)
            _grants.Add(grant);
    }

    public void Add(Release release)
    {
        lock (_gate)
            _releases.Add(release);
    }

    public void Add(string reader, Seen seen)
    {
        lock (_gate)
        {
            if (!_readers.TryGetValue(reader, out var all))
                _readers.Add(reader, all = []);
            all.Add(seen);
        }
    }

    public void Fault(string text)
    {
        lock (_gate)
            _faults.Add(text);
    }

    /// <summary>Completes after this number of further acknowledged writes.</summary>
    public Task WhenMoreAsync(int count)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiting.Add((_acknowledged + count, reached));
        return reached.Task;
    }
}
