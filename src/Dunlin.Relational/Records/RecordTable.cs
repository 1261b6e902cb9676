using Dunlin.Records;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Records;

/// <summary>The records and access rows of one scope. A unit of work holds the lock of the writer, so the rows cannot change concurrently.
/// Not thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="isWritable">False in a read scope.</param>
internal sealed class RecordTable(Func<ISqlSession> session, bool isWritable) : IRecordTable, ISpaceAccessTable
{
    // Sorts after every character of a key: skips all keys of the version.
    private const string AfterAllKeys = "\U0010ffff";

    public ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken) =>
        session().Call("record_find").Text(space.Value).Text(key).FindAsync(row => ReadRow(row, space), cancellationToken);

    public async ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken) =>
        await Writable()
            .Call("record_save")
            .Text(row.Space.Value)
            .Text(row.Key)
            .Number(row.Version)
            .Number(row.Created)
            .Time(row.DeletedAt)
            .Text(row.Audience)
            .Bytes(row.Value)
            .RunAsync(cancellationToken);

    public ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken) =>
        session()
            .Call("record_read")
            .Text(query.Space.Value)
            .Number(query.After)
            .Text(query.AfterKey ?? AfterAllKeys)
            .Text(query.Reader)
            .Text(query.Prefix ?? "")
            .Number(query.LivingOnly ? 1 : 0)
            .Number(query.Limit)
            .ListAsync(row => ReadRow(row, query.Space), cancellationToken);

    public async ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken) =>
        (int)await session().Call("record_count").Text(space.Value).FindAsync(static row => row.Number(0), cancellationToken);

    public async ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        await Writable().Call("record_forget").Time(before).RunAsync(cancellationToken);

    public ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken) =>
        session().Call("record_forgotten_through").FindAsync(static row => row.Number(0), cancellationToken);

    ValueTask<SpaceAccess?> ISpaceAccessTable.FindAsync(SpaceName space, string userId, CancellationToken cancellationToken) =>
        session().Call("space_access_find").Text(userId).Text(space.Value).FindAsync(ReadAccess, cancellationToken);

    public async ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken) =>
        await Writable()
            .Call("space_access_save")
            .Text(access.Space.Value)
            .Text(access.UserId)
            .Number(access.Version)
            .Time(access.RevokedAt)
            .RunAsync(cancellationToken);

    public ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken) =>
        session().Call("space_access_list_by_user").Text(userId).ListAsync(ReadAccess, cancellationToken);

    public ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken) =>
        session().Call("space_access_list_members").Text(space.Value).ListAsync(ReadAccess, cancellationToken);

    private static RecordRow ReadRow(ISqlRow row, SpaceName space) =>
        new(space, row.Text(0))
        {
            Version = row.Number(1),
            Created = row.Number(2),
            DeletedAt = row.TimeOrNull(3),
            Audience = row.TextOrNull(4),
            Value = row.Bytes(5),
        };

    private static SpaceAccess ReadAccess(ISqlRow row) => new(SpaceName.Parse(row.Text(0)), row.Text(1), row.Number(2), row.TimeOrNull(3));

    private ISqlSession Writable() =>
        isWritable ? session() : throw new InvalidOperationException("A read scope cannot change records. Use a unit of work.");
}
