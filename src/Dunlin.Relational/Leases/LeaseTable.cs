using System.Text.Json;
using Dunlin.Leases;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Leases;

/// <summary>The lease rows of one scope. A unit of work holds the lock of the writer, so the rows cannot change concurrently. Not
/// thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="nextFencingToken">Issues fencing tokens. Null in a read scope.</param>
internal sealed class LeaseTable(Func<ISqlSession> session, Func<CancellationToken, ValueTask<long>>? nextFencingToken) : ILeaseTable
{
    /// <summary>The columns that <see cref="Read"/> reads, in its order.</summary>
    internal const string Columns =
        "resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id, "
        + "acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters";

    // Sorts after every character of a name: the end of the range of all names.
    private const string AfterAllNames = "\u007f";

    // Sorts before every character of a name: name + this character is the smallest text after the name.
    private const string BeforeAllNames = "\u0001";

    public ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken) =>
        session().Call("lease_find").Text(resource.Value).FindAsync(Read, cancellationToken);

    public async ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken) =>
        await Writable()
            .Call("lease_save")
            .Text(row.Resource.Value)
            .Number(row.FencingToken)
            .Text(row.LeaseId)
            .Text(row.Owner?.UserId)
            .Text(row.Owner?.Name)
            .Text(row.Owner?.SessionId)
            .Text(row.Owner?.ConnectionId)
            .Text(row.Owner?.DeviceId)
            .Time(row.AcquiredAt)
            .Time(row.ExpiresAt)
            .Number(row.Seconds)
            .Number((long)row.End)
            .Text(row.EndedLeaseId)
            .Time(row.EndedAt)
            .Number(row.Ending ? 1 : 0)
            .Text(row.Waiters.Count == 0 ? null : JsonSerializer.Serialize(row.Waiters, RelationalJson.Default.IReadOnlyListWaiter))
            .RunAsync(cancellationToken);

    public async ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken)
    {
        Writable();
        return await nextFencingToken!(cancellationToken);
    }

    public ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        var prefix = query.Prefix?.TrimEnd('/') ?? "";
        var after = query.After is null ? "" : query.After + BeforeAllNames;
        var statement =
            query.SessionId is not null ? "lease_list_by_session"
            : query.HeldOnly ? "lease_list_held"
            : "lease_list";
        var call = session()
            .Call(statement)
            .Text(string.CompareOrdinal(after, prefix) > 0 ? after : prefix)
            .Text(prefix.Length == 0 ? AfterAllNames : prefix + (char)('/' + 1))
            .Text(prefix);
        call = query.SessionId is null ? call.Number(query.Limit) : call.Flag(query.HeldOnly).Number(query.Limit).Text(query.SessionId);
        return call.ListAsync(Read, cancellationToken);
    }

    public async ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken) =>
        (int)
            await session()
                .Call("lease_count_held")
                .Text(userId)
                .Time(at)
                .Number(limit)
                .FindAsync(static row => row.Number(0), cancellationToken);

    public async ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        await Writable().Call("lease_forget_ended").Time(before).RunAsync(cancellationToken);

    internal static LeaseRow Read(ISqlRow row) =>
        new(ResourceName.Parse(row.Text(0)))
        {
            FencingToken = row.Number(1),
            LeaseId = row.TextOrNull(2),
            Owner = row.IsNull(3)
                ? null
                : new LeaseOwner(row.Text(3), row.TextOrNull(4) ?? "", row.TextOrNull(5), row.TextOrNull(6), row.TextOrNull(7)),
            AcquiredAt = row.Time(8),
            ExpiresAt = row.Time(9),
            Seconds = (int)row.Number(10),
            End = (LeaseEnd)row.Number(11),
            EndedLeaseId = row.TextOrNull(12),
            EndedAt = row.Time(13),
            Ending = row.Number(14) != 0,
            Waiters = row.IsNull(15) ? [] : JsonSerializer.Deserialize(row.Text(15), RelationalJson.Default.IReadOnlyListWaiter)!,
        };

    private ISqlSession Writable() =>
        nextFencingToken is not null
            ? session()
            : throw new InvalidOperationException("A read scope cannot change leases. Use a unit of work.");
}
