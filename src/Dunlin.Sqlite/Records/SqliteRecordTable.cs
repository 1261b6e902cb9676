using Dunlin.Records;
using Dunlin.Sqlite.Schema;

namespace Dunlin.Sqlite.Records;

/// <summary>
/// Records and access on one connection. In a unit of work the writer's transaction is the lock: nobody else writes until it ends.
/// </summary>
/// <param name="database">The connection; throws where the scope has ended.</param>
/// <param name="isWritable">False where the scope is for reading.</param>
internal sealed class SqliteRecordTable(Func<Database> database, bool isWritable) : IRecordTable, ISpaceAccessTable
{
    // Above every character of a key: skips all keys of the version.
    private const string AfterAllKeys = "\U0010ffff";

    private static readonly SqlText Find = new("record_find");
    private static readonly SqlText Save = new("record_save");
    private static readonly SqlText Read = new("record_read");
    private static readonly SqlText Count = new("record_count");
    private static readonly SqlText ForgetMark = new("record_forget_mark");
    private static readonly SqlText Forget = new("record_forget");
    private static readonly SqlText FindCounter = new("find_counter");
    private static readonly SqlText AccessForget = new("space_access_forget");
    private static readonly SqlText AccessFind = new("space_access_find");
    private static readonly SqlText AccessSave = new("space_access_save");
    private static readonly SqlText AccessListByUser = new("space_access_list_by_user");
    private static readonly SqlText AccessListMembers = new("space_access_list_members");

    public ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken)
    {
        var row = database().Prepare(Find).Bind(1, space.Value).Bind(2, key);
        var found = row.Step() ? ReadRow(row, space) : null;
        row.Reset();
        return new(found);
    }

    public ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken)
    {
        var save = Writable().Prepare(Save).Bind(1, row.Space.Value).Bind(2, row.Key).Bind(3, row.Version).Bind(4, row.Created);
        BindTime(save, 5, row.DeletedAt).Bind(6, row.Audience).Bind(7, row.Value.Span).Run();
        return default;
    }

    public ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken)
    {
        var row = database().Prepare(Read)
            .Bind(1, query.Space.Value)
            .Bind(2, query.After)
            .Bind(3, query.AfterKey ?? AfterAllKeys)
            .Bind(4, query.Reader)
            .Bind(5, query.Prefix ?? "")
            .Bind(6, query.LivingOnly ? 1 : 0)
            .Bind(7, query.Limit);
        var rows = new List<RecordRow>();
        while (row.Step())
            rows.Add(ReadRow(row, query.Space));
        row.Reset();
        return new(rows);
    }

    public ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken)
    {
        var row = database().Prepare(Count).Bind(1, space.Value);
        row.Step();
        var count = (int)row.Int64(0);
        row.Reset();
        return new(count);
    }

    public ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var writable = Writable();
        foreach (var statement in (ReadOnlySpan<SqlText>)[ForgetMark, Forget, AccessForget])
            writable.Prepare(statement).Bind(1, before.UtcTicks).Run();
        return default;
    }

    public ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken)
    {
        var counter = database().Prepare(FindCounter).Bind(1, "records_forgotten_through");
        var through = counter.Step() ? counter.Int64(0) : 0;
        counter.Reset();
        return new(through);
    }

    ValueTask<SpaceAccess?> ISpaceAccessTable.FindAsync(SpaceName space, string userId, CancellationToken cancellationToken)
    {
        var row = database().Prepare(AccessFind).Bind(1, userId).Bind(2, space.Value);
        var found = row.Step() ? ReadAccess(row) : null;
        row.Reset();
        return new(found);
    }

    public ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken)
    {
        var save = Writable().Prepare(AccessSave).Bind(1, access.Space.Value).Bind(2, access.UserId).Bind(3, access.Version);
        BindTime(save, 4, access.RevokedAt).Run();
        return default;
    }

    public ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken) =>
        new(List(database().Prepare(AccessListByUser).Bind(1, userId)));

    public ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken) =>
        new(List(database().Prepare(AccessListMembers).Bind(1, space.Value)));

    private static List<SpaceAccess> List(Statement row)
    {
        var all = new List<SpaceAccess>();
        while (row.Step())
            all.Add(ReadAccess(row));
        row.Reset();
        return all;
    }

    private static RecordRow ReadRow(Statement row, SpaceName space) => new(space, row.Text(0))
    {
        Version = row.Int64(1),
        Created = row.Int64(2),
        DeletedAt = Time(row, 3),
        Audience = row.TextOrNull(4),
        Value = row.Bytes(5).ToArray(),
    };

    private static SpaceAccess ReadAccess(Statement row) => new(SpaceName.Parse(row.Text(0)), row.Text(1), row.Int64(2), Time(row, 3));

    private static DateTimeOffset? Time(Statement row, int column) => row.IsNull(column) ? null : new DateTimeOffset(row.Int64(column), TimeSpan.Zero);

    private static Statement BindTime(Statement statement, int index, DateTimeOffset? time) =>
        time is { } at ? statement.Bind(index, at.UtcTicks) : statement.Bind(index, (string?)null);

    private Database Writable() => isWritable
        ? database()
        : throw new InvalidOperationException("A read scope cannot change records; use a unit of work.");
}
