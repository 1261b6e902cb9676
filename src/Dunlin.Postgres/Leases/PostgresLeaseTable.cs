using System.Text.Json;
using Dunlin.Leases;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Leases;

/// <summary>Lease rows on one connection. In a unit of work the lock of the writer is held: nobody else changes them until it ends.</summary>
/// <param name="database">The connection; throws where the scope has ended.</param>
/// <param name="isWritable">False where the scope is for reading.</param>
internal sealed class PostgresLeaseTable(Func<NpgsqlConnection> database, bool isWritable) : ILeaseTable
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
    private static readonly SqlText NextFence = new("lease_next_fence");

    public async ValueTask<LeaseRow?> FindAsync(ResourceName resource, CancellationToken cancellationToken)
    {
        await using var command = database().Command(Find, Statements.Text(resource.Value));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    public async ValueTask SaveAsync(LeaseRow row, CancellationToken cancellationToken)
    {
        await using var command = Writable().Command(
            Save,
            Statements.Text(row.Resource.Value),
            Statements.Number(row.Fence),
            Statements.Text(row.LeaseId),
            Statements.Text(row.Owner?.UserId),
            Statements.Text(row.Owner?.Name),
            Statements.Text(row.Owner?.SessionId),
            Statements.Text(row.Owner?.ConnectionId),
            Statements.Text(row.Owner?.DeviceId),
            Statements.Time(row.AcquiredAt),
            Statements.Time(row.ExpiresAt),
            Statements.Number(row.Seconds),
            Statements.Number((long)row.End),
            Statements.Text(row.EndedLeaseId),
            Statements.Time(row.EndedAt),
            Statements.Number(row.Ending ? 1 : 0),
            Statements.Text(row.Waiters.Count == 0 ? null : JsonSerializer.Serialize(row.Waiters, JsonSerializerOptions.Web)));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask<long> NextFenceAsync(CancellationToken cancellationToken)
    {
        await using var command = Writable().Command(NextFence);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async ValueTask<IReadOnlyList<LeaseRow>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        var prefix = query.Prefix?.TrimEnd('/') ?? "";
        var after = query.After is null ? "" : query.After + BeforeAllNames;
        await using var command = database().Command(
            query.SessionId is null ? List : ListBySession,
            Statements.Text(string.CompareOrdinal(after, prefix) > 0 ? after : prefix),
            Statements.Text(prefix.Length == 0 ? AfterAllNames : prefix + (char)('/' + 1)),
            Statements.Text(prefix),
            Statements.Flag(query.HeldOnly),
            Statements.Number(query.Limit));
        if (query.SessionId is not null)
            command.Parameters.Add(Statements.Text(query.SessionId));
        var rows = new List<LeaseRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(Read(reader));
        return rows;
    }

    public async ValueTask<int> CountHeldAsync(string userId, DateTimeOffset at, int limit, CancellationToken cancellationToken)
    {
        await using var command = database().Command(CountHeld, Statements.Text(userId), Statements.Time(at), Statements.Number(limit));
        return (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async ValueTask ForgetEndedAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var command = Writable().Command(ForgetEnded, Statements.Time(before));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static LeaseRow Read(NpgsqlDataReader row) => new(ResourceName.Parse(row.GetString(0)))
    {
        Fence = row.GetInt64(1),
        LeaseId = row.TextOrNull(2),
        Owner = row.IsDBNull(3)
            ? null
            : new LeaseOwner(row.GetString(3), row.TextOrNull(4) ?? "", row.TextOrNull(5), row.TextOrNull(6), row.TextOrNull(7)),
        AcquiredAt = row.Time(8),
        ExpiresAt = row.Time(9),
        Seconds = (int)row.GetInt64(10),
        End = (LeaseEnd)row.GetInt64(11),
        EndedLeaseId = row.TextOrNull(12),
        EndedAt = row.Time(13),
        Ending = row.GetInt64(14) != 0,
        Waiters = row.IsDBNull(15) ? [] : JsonSerializer.Deserialize<List<Waiter>>(row.GetString(15), JsonSerializerOptions.Web)!,
    };

    private NpgsqlConnection Writable() => isWritable
        ? database()
        : throw new InvalidOperationException("A read scope cannot change leases; use a unit of work.");
}
