using System.Collections.Immutable;
using Dunlin.Records;

namespace Dunlin.InMemory;

/// <summary>
/// All records and access of the in-memory store. Immutable: a reference is a snapshot, and discarding a new value is a rollback.
/// </summary>
internal sealed record RecordRows(
    ImmutableDictionary<SpaceName, SpaceRows> Spaces,
    ImmutableSortedDictionary<(string UserId, string Space), SpaceAccess> Access,
    long ForgottenThrough
)
{
    public static RecordRows Empty { get; } =
        new(
            ImmutableDictionary<SpaceName, SpaceRows>.Empty,
            ImmutableSortedDictionary.Create<(string UserId, string Space), SpaceAccess>(
                Comparer<(string UserId, string Space)>.Create(
                    static (a, b) =>
                        string.CompareOrdinal(a.UserId, b.UserId) is var order and not 0 ? order : string.CompareOrdinal(a.Space, b.Space)
                )
            ),
            0
        );

    public RecordRow? Find(SpaceName space, string key) => Spaces.GetValueOrDefault(space)?.ByKey.GetValueOrDefault(key);

    public RecordRows With(RecordRow row) =>
        this with
        {
            Spaces = Spaces.SetItem(row.Space, (Spaces.GetValueOrDefault(row.Space) ?? SpaceRows.Empty).With(row)),
        };

    public RecordRows With(SpaceAccess access) => this with { Access = Access.SetItem((access.UserId, access.Space.Value), access) };

    public IReadOnlyList<RecordRow> Read(RecordQuery query)
    {
        if (Spaces.GetValueOrDefault(query.Space) is not { } space)
            return [];
        var probe = new RecordRow(query.Space, query.AfterKey ?? "\uffff") { Version = query.After };
        var index = space.ByVersion.IndexOf(probe);
        index = index < 0 ? ~index : index + 1;
        var rows = new List<RecordRow>();
        for (; index < space.ByVersion.Count && rows.Count < query.Limit; index++)
        {
            var row = space.ByVersion[index];
            if ((row.Version > query.After || query.AfterKey is not null) && Matches(row, query))
                rows.Add(row);
        }
        return rows;
    }

    public RecordRows WithoutForgotten(DateTimeOffset before)
    {
        var doomed = Spaces.Values.SelectMany(s => s.ByVersion).Where(r => r.DeletedAt < before).ToList();
        var ended = Access.Values.Where(a => a.RevokedAt < before).ToList();
        var through = doomed.Select(r => r.Version).Concat(ended.Select(a => a.Version)).Append(ForgottenThrough).Max();
        var spaces = Spaces;
        foreach (var row in doomed)
            spaces = spaces.SetItem(row.Space, spaces[row.Space].Without(row));
        return new RecordRows(spaces, Access.RemoveRange(ended.Select(a => (a.UserId, a.Space.Value))), through);
    }

    private static bool Matches(RecordRow row, RecordQuery query) =>
        (!query.LivingOnly || !row.IsDeleted)
        && (query.Reader is null || row.Audience is null || row.Audience == query.Reader)
        && (query.Prefix is null || row.Key.StartsWith(query.Prefix, StringComparison.Ordinal));
}

/// <summary>The records of one space, by key and by version.</summary>
internal sealed record SpaceRows(ImmutableDictionary<string, RecordRow> ByKey, ImmutableSortedSet<RecordRow> ByVersion)
{
    public static SpaceRows Empty { get; } =
        new(
            ImmutableDictionary.Create<string, RecordRow>(StringComparer.Ordinal),
            ImmutableSortedSet.Create<RecordRow>(
                Comparer<RecordRow>.Create(
                    static (a, b) => a.Version != b.Version ? a.Version.CompareTo(b.Version) : string.CompareOrdinal(a.Key, b.Key)
                )
            )
        );

    public SpaceRows With(RecordRow row)
    {
        var byVersion = ByKey.TryGetValue(row.Key, out var old) ? ByVersion.Remove(old) : ByVersion;
        return new SpaceRows(ByKey.SetItem(row.Key, row), byVersion.Add(row));
    }

    public SpaceRows Without(RecordRow row) => new(ByKey.Remove(row.Key), ByVersion.Remove(row));
}
