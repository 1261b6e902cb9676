using System.Text.Json;
using Dunlin.Leases;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Leases;

/// <summary>
/// Lease rows on one connection. In a unit of work the writer's transaction is the lock: nobody else writes until it ends.
/// </summary>
/// <param name="database">The connection; throws where the scope has ended.</param>
/// <param name="nextFence">Gives fencing tokens; null where the scope is for reading.</param>
internal sealed class SqliteLeaseTable(Func<Database> database, Func<long>? nextFence) : ILeaseTable
{
    // Above every character of a name: the end of the range of all names.
    private const string AfterAllNames = "\u007f";

    // Below every character of a name: name + this is the next text after the name that a name can be.
    private const string BeforeAllNames = "\u0001";

    private static readonly SqlText Find = new("lease_find");
    private static readonly SqlText Save = new("lease_save");
    private static readonly SqlText List = new("lease_list");
    private static readonly SqlText ListBySession = new("lease_list_by_session");
    private static readonly SqlText ForgetEnded = new("lease_forget_ended");
    private static readonly SqlText CountHeld = new("lease_count_held");
    private static readonly SqlText RedateSql = new("lease_redate");

    /// <summary>
    /// Lets every held lease end one full duration from now. Run once at the opening: while the store was closed nobody
    /// could renew, and the wall clock of the last run is not comparable with this one's. So a restart never shortens what
    /// was promised to a holder, and never lengthens it beyond one full duration.
    /// </summary>
    public static void Redate(Database database, DateTimeOffset now) => database.Prepare(RedateSql).Bind(1, now.UtcTicks).Run();

    public ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken)
    {
        var row = database().Prepare(Find).Bind(1, resource.Value);
        var found = row.Step() ? Read(row) : null;
        row.Reset();
        return new(found);
    }

    public ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken)
    {
        ThrowIfReadOnly();
        database().Prepare(Save)
            .Bind(1, row.Resource.Value)
            .Bind(2, row.Fence)
            .Bind(3, row.LeaseId)
            .Bind(4, row.Owner?.UserId)
            .Bind(5, row.Owner?.Name)
            .Bind(6, row.Owner?.SessionId)
            .Bind(7, row.Owner?.ConnectionId)
            .Bind(8, row.Owner?.DeviceId)
            .Bind(9, row.AcquiredAt.UtcTicks)
            .Bind(10, row.ExpiresAt.UtcTicks)
            .Bind(11, row.Seconds)
            .Bind(12, (long)row.End)
            .Bind(13, row.EndedLeaseId)
            .Bind(14, row.EndedAt.UtcTicks)
            .Bind(15, row.Ending ? 1 : 0)
            .Bind(16, row.Waiters.Count == 0 ? null : JsonSerializer.Serialize(row.Waiters, JsonSerializerOptions.Web))
            .Run();
        return default;
    }

    public ValueTask<long> NextFenceAsync(CancellationToken cancellationToken)
    {
        ThrowIfReadOnly();
        return new(nextFence!());
    }

    public ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        var prefix = query.Prefix?.TrimEnd('/') ?? "";
        var after = query.After is null ? "" : query.After + BeforeAllNames;
        var row = database().Prepare(query.SessionId is null ? List : ListBySession)
            .Bind(1, string.CompareOrdinal(after, prefix) > 0 ? after : prefix)
            .Bind(2, prefix.Length == 0 ? AfterAllNames : prefix + (char)('/' + 1))
            .Bind(3, prefix)
            .Bind(4, query.HeldOnly ? 1 : 0)
            .Bind(5, query.Limit);
        if (query.SessionId is not null)
            row.Bind(6, query.SessionId);
        var rows = new List<LeaseRow>();
        while (row.Step())
            rows.Add(Read(row));
        row.Reset();
        return new(rows);
    }

    public ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken)
    {
        var row = database().Prepare(CountHeld).Bind(1, userId).Bind(2, at.UtcTicks).Bind(3, limit);
        row.Step();
        var count = (int)row.Int64(0);
        row.Reset();
        return new(count);
    }

    public ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        ThrowIfReadOnly();
        database().Prepare(ForgetEnded).Bind(1, before.UtcTicks).Run();
        return default;
    }

    private static LeaseRow Read(Statement row) => new(ResourceName.Parse(row.Text(0)))
    {
        Fence = row.Int64(1),
        LeaseId = row.TextOrNull(2),
        Owner = row.IsNull(3) ? null : new LeaseOwner(row.Text(3), row.TextOrNull(4) ?? "", row.TextOrNull(5), row.TextOrNull(6), row.TextOrNull(7)),
        AcquiredAt = new DateTimeOffset(row.Int64(8), TimeSpan.Zero),
        ExpiresAt = new DateTimeOffset(row.Int64(9), TimeSpan.Zero),
        Seconds = (int)row.Int64(10),
        End = (LeaseEnd)row.Int64(11),
        EndedLeaseId = row.TextOrNull(12),
        EndedAt = new DateTimeOffset(row.Int64(13), TimeSpan.Zero),
        Ending = row.Int64(14) != 0,
        Waiters = row.IsNull(15) ? [] : JsonSerializer.Deserialize<List<Waiter>>(row.Bytes(15), JsonSerializerOptions.Web)!,
    };

    private void ThrowIfReadOnly()
    {
        if (nextFence is null)
            throw new InvalidOperationException("A read scope cannot change leases; use a unit of work.");
    }
}
