using Dunlin.Postgres.Schema;
using Dunlin.Records;
using Npgsql;

namespace Dunlin.Postgres.Records;

/// <summary>Records and access on one connection. In a unit of work the lock of the writer is held: nobody else changes them until it ends.</summary>
/// <param name="database">The connection; throws where the scope has ended.</param>
/// <param name="isWritable">False where the scope is for reading.</param>
internal sealed class PostgresRecordTable(Func<NpgsqlConnection> database, bool isWritable) : IRecordTable, ISpaceAccessTable
{
    // Above every character of a key: skips all keys of the version.
    private const string AfterAllKeys = "\U0010ffff";

    private static readonly SqlText Find = new("record_find");
    private static readonly SqlText Save = new("record_save");
    private static readonly SqlText Read = new("record_read");
    private static readonly SqlText Count = new("record_count");
    private static readonly SqlText ForgetMark = new("record_forget_mark");
    private static readonly SqlText Forget = new("record_forget");
    private static readonly SqlText ForgottenThrough = new("record_forgotten_through");
    private static readonly SqlText AccessForget = new("space_access_forget");
    private static readonly SqlText AccessFind = new("space_access_find");
    private static readonly SqlText AccessSave = new("space_access_save");
    private static readonly SqlText AccessListByUser = new("space_access_list_by_user");
    private static readonly SqlText AccessListMembers = new("space_access_list_members");

    public async ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken)
    {
        await using var command = database().Command(Find, Statements.Text(space.Value), Statements.Text(key));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ReadRow(row, space) : null;
    }

    public async ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken)
    {
        await using var command = Writable().Command(
            Save,
            Statements.Text(row.Space.Value),
            Statements.Text(row.Key),
            Statements.Number(row.Version),
            Statements.Number(row.Created),
            Statements.Time(row.DeletedAt),
            Statements.Text(row.Audience),
            Statements.Bytes(row.Value));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken)
    {
        await using var command = database().Command(
            Read,
            Statements.Text(query.Space.Value),
            Statements.Number(query.After),
            Statements.Text(query.AfterKey ?? AfterAllKeys),
            Statements.Text(query.Reader),
            Statements.Text(query.Prefix ?? ""),
            Statements.Number(query.LivingOnly ? 1 : 0),
            Statements.Number(query.Limit));
        var rows = new List<RecordRow>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            rows.Add(ReadRow(row, query.Space));
        return rows;
    }

    public async ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken)
    {
        await using var command = database().Command(Count, Statements.Text(space.Value));
        return (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var writable = Writable();
        await using var batch = new NpgsqlBatch(writable);
        foreach (var statement in (ReadOnlySpan<SqlText>)[ForgetMark, Forget, AccessForget])
            batch.Add(statement, Statements.Time(before));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken)
    {
        await using var command = database().Command(ForgottenThrough);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    async ValueTask<SpaceAccess?> ISpaceAccessTable.FindAsync(SpaceName space, string userId, CancellationToken cancellationToken)
    {
        await using var command = database().Command(AccessFind, Statements.Text(userId), Statements.Text(space.Value));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ReadAccess(row) : null;
    }

    public async ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken)
    {
        await using var command = Writable().Command(
            AccessSave, Statements.Text(access.Space.Value), Statements.Text(access.UserId), Statements.Number(access.Version), Statements.Time(access.RevokedAt));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken) =>
        ListAsync(AccessListByUser, userId, cancellationToken);

    public ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken) =>
        ListAsync(AccessListMembers, space.Value, cancellationToken);

    private async ValueTask<IReadOnlyList<SpaceAccess>> ListAsync(SqlText sql, string value, CancellationToken cancellationToken)
    {
        await using var command = database().Command(sql, Statements.Text(value));
        var all = new List<SpaceAccess>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            all.Add(ReadAccess(row));
        return all;
    }

    private static RecordRow ReadRow(NpgsqlDataReader row, SpaceName space) => new(space, row.GetString(0))
    {
        Version = row.GetInt64(1),
        Created = row.GetInt64(2),
        DeletedAt = row.TimeOrNull(3),
        Audience = row.TextOrNull(4),
        Value = row.GetFieldValue<byte[]>(5),
    };

    private static SpaceAccess ReadAccess(NpgsqlDataReader row) => new(SpaceName.Parse(row.GetString(0)), row.GetString(1), row.GetInt64(2), row.TimeOrNull(3));

    private NpgsqlConnection Writable() => isWritable
        ? database()
        : throw new InvalidOperationException("A read scope cannot change records; use a unit of work.");
}
