using Dunlin.Records;

namespace Dunlin.InMemory;

/// <summary>Record tables in memory.</summary>
/// <param name="get">Returns the current rows; throws if the scope has ended.</param>
/// <param name="set">Replaces the rows; null in a read scope.</param>
internal sealed class InMemoryRecordTable(Func<RecordRows> get, Action<RecordRows>? set) : IRecordScope, IRecordTable, ISpaceAccessTable
{
    public IRecordTable Records => this;

    public ISpaceAccessTable Access => this;

    public ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken) => new(get().Find(space, key));

    public ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken) => Set(get().With(row));

    public ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken) => new(get().Read(query));

    public ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken) =>
        new(get().Spaces.GetValueOrDefault(space)?.ByVersion.Count(static row => !row.IsDeleted) ?? 0);

    public ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) => Set(get().WithoutForgotten(before));

    public ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken) => new(get().ForgottenThrough);

    ValueTask<SpaceAccess?> ISpaceAccessTable.FindAsync(SpaceName space, string userId, CancellationToken cancellationToken) =>
        new(get().Access.GetValueOrDefault((userId, space.Value)));

    public ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken) => Set(get().With(access));

    public ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken) =>
        new([.. get().Access.Values.Where(a => a.UserId == userId)]);

    public ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken) =>
        new([.. get().Access.Values.Where(a => a.Space == space && a.IsGranted)]);

    private ValueTask Set(RecordRows rows)
    {
        (set ?? throw new InvalidOperationException("A read scope cannot change records. Use a unit of work."))(rows);
        return default;
    }
}
