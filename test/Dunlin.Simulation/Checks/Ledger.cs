using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Simulation.Nodes;
using Dunlin.Simulation.Scheduling;

namespace Dunlin.Simulation.Checks;

/// <summary>What clients were promised, to compare with the log of the database.</summary>
/// <remarks>
/// Invariants: an acknowledged event is in the log once, at its position. Without an acknowledgement it is there at most once. Fencing
/// tokens grow, each belongs to one grant, and the guarded events of a resource have them in order. No two valid handles name one
/// resource. A job takes effect once.
/// </remarks>
internal sealed class Ledger(SimCluster cluster)
{
    private readonly Dictionary<string, long?> _published = [];
    private readonly Dictionary<(string Resource, long Token), string> _grants = [];
    private readonly List<(SimNode Node, Lease Lease)> _handles = [];
    private readonly Dictionary<string, bool> _jobs = [];

    public int Acknowledged => _published.Values.Count(position => position is not null);

    public int Grants => _grants.Count;

    public int Jobs => _jobs.Count;

    /// <summary>Notes that a client is about to publish an event with this id.</summary>
    public void OnPublishing(string id) => _published[id] = null;

    public void OnPublished(string id, Position position)
    {
        if (_published[id] is { } earlier && earlier != position.Offset)
            throw cluster.World.Fail("acknowledged", $"Event {id} was acknowledged at {earlier} and at {position.Offset}.");
        _published[id] = position.Offset;
    }

    public void OnGranted(string resource, long token, string leaseId)
    {
        if (!_grants.TryAdd((resource, token), leaseId) && _grants[(resource, token)] != leaseId)
            throw cluster.World.Fail("lease", $"Token {token} of {resource} was granted to two holders.");
    }

    /// <summary>Notes a handle that the engine has just given out, and compares it with all other valid ones.</summary>
    public void OnHandle(SimNode node, Lease lease)
    {
        OnGranted(lease.Resource.Value, lease.FencingToken.Number, lease.Claim.LeaseId);
        _handles.RemoveAll(handle => !IsValid(handle.Lease));
        if (_handles.Find(handle => handle.Lease.Resource == lease.Resource) is { Lease: { } other } holder && IsValid(lease))
            throw cluster.World.Fail(
                "lease",
                $"{node.Name} holds {lease.Resource} with token {lease.FencingToken}, and {holder.Node.Name} with {other.FencingToken}."
            );
        _handles.Add((node, lease));
    }

    /// <summary>Notes that the holder no longer uses a handle.</summary>
    public void OnClosing(Lease lease) => _handles.RemoveAll(handle => handle.Lease == lease);

    public void OnCrash(SimNode node) => _handles.RemoveAll(handle => handle.Node == node);

    public void OnJob(string id, bool isAcknowledged) => _jobs[id] = isAcknowledged;

    public void AtEnd()
    {
        var found = new Dictionary<string, List<long>>(StringComparer.Ordinal);
        var tokens = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in cluster.Database.Log)
        {
            if (entry.Type is "note" or "effect" or "fact")
            {
                var id = JsonDocument.Parse(entry.Data).RootElement.GetProperty("id").GetString()!;
                if (!found.TryGetValue(id, out var at))
                    found.Add(id, at = []);
                at.Add(entry.Position.Offset);
            }
            else if (entry.Type == "guarded")
            {
                CheckToken(entry, tokens);
            }
        }
        foreach (var (id, position) in _published)
            CheckOnce("acknowledged", id, position is not null, found.GetValueOrDefault(id), position);
        foreach (var (id, isAcknowledged) in _jobs)
            CheckOnce("job", id, isAcknowledged, found.GetValueOrDefault(id), null);
    }

    private static void CheckOnce(string check, string id, bool isCertain, List<long>? found, long? position)
    {
        var count = found?.Count ?? 0;
        if (count > 1 || (isCertain && count == 0))
            throw new SimulationException(check, $"{id} occurs {count} times in the log (acknowledged: {isCertain}).");
        if (position is not null && found![0] != position)
            throw new SimulationException(check, $"{id} is at offset {found[0]}, but was acknowledged at {position}.");
    }

    private void CheckToken(DunlinEvent entry, Dictionary<string, long> tokens)
    {
        var data = JsonDocument.Parse(entry.Data).RootElement;
        var (resource, token) = (data.GetProperty("resource").GetString()!, data.GetProperty("token").GetInt64());
        if (tokens.TryGetValue(resource, out var latest) && token < latest)
            throw new SimulationException("lease", $"The write {entry.Position.Offset} with token {token} of {resource} follows {latest}.");
        tokens[resource] = token;
    }

    private bool IsValid(Lease lease) => lease.LossReason is null && lease.ExpiresAt > cluster.World.Time.GetUtcNow();
}
