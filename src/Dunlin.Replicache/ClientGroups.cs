using System.Globalization;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.Replicache;

/// <summary>Stores the owner of each client group, the clients of each group, and the last mutation of each client. Not
/// thread-safe.</summary>
/// <remarks>
/// They are records in spaces to which no user ever has access. They therefore commit with the data, and the same query finds changes of
/// both. The version of an owner's row is the time at which the group was last seen, in seconds since 1970, so that the index by version
/// finds idle groups. Rows of earlier versions of the program have the offset of their creation there, and in
/// <see cref="RecordRow.Created"/>, which is 0 in later rows. Rows of removed groups have version 0: retention deletes them without an
/// effect on any reader.
/// </remarks>
internal sealed class ClientGroups(IRecordTable records)
{
    // Reserved names: the spaces of applications do not start like this by accident.
    private static readonly SpaceName Owners = SpaceName.Parse("dunlin.replicache/owners");
    private static readonly SpaceName ClientIndex = SpaceName.Parse("dunlin.replicache/clients");

    // Bounds one unit of work, but never splits a group.
    private const int MaxRows = 500;
    private const int MaxGroups = 50;

    /// <summary>The precision of the time at which a group was last seen: a pull writes at most once in it.</summary>
    public static readonly TimeSpan SeenPrecision = TimeSpan.FromHours(1);

    /// <summary>Throws if the group belongs to another user. The error reveals nothing about the group.</summary>
    /// <returns>The state of the group.</returns>
    public async ValueTask<GroupState> RequireOwnAsync(
        string groupId,
        string userId,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (await FindLivingAsync(Owners, groupId, cancellationToken) is not { } row)
            return await new GroupTombstones(records).HasAsync(groupId, cancellationToken) ? GroupState.Removed : GroupState.Unknown;
        if (Text(row) != userId)
            throw Foreign();
        return row.Created > 0 || row.Version + SeenPrecision.TotalSeconds <= now.ToUnixTimeSeconds()
            ? GroupState.Unseen
            : GroupState.Known;
    }

    /// <summary>Stores that the group was seen now. Does nothing if it is gone.</summary>
    public async ValueTask SeeAsync(string groupId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await FindLivingAsync(Owners, groupId, cancellationToken) is { } row)
            await records.SaveAsync(Seen(row, now), cancellationToken);
    }

    /// <summary>Returns the last mutation id of a client, or null if the client is unknown. Throws if the client belongs to another
    /// group.</summary>
    public async ValueTask<long?> FindLastMutationAsync(string groupId, string clientId, CancellationToken cancellationToken)
    {
        if (await FindLivingAsync(Space(groupId), clientId, cancellationToken) is { } row)
            return Number(row);
        return await FindLivingAsync(ClientIndex, clientId, cancellationToken) is null ? null : throw Foreign();
    }

    public ValueTask AddGroupAsync(string groupId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        records.SaveAsync(Seen(new RecordRow(Owners, groupId) { Value = Encoding.UTF8.GetBytes(userId) }, now), cancellationToken);

    public ValueTask AddClientAsync(string groupId, string clientId, long version, CancellationToken cancellationToken) =>
        SaveAsync(ClientIndex, clientId, groupId, version, cancellationToken);

    public ValueTask SaveLastMutationAsync(string groupId, string clientId, long id, long version, CancellationToken cancellationToken) =>
        SaveAsync(Space(groupId), clientId, id.ToString(CultureInfo.InvariantCulture), version, cancellationToken);

    /// <summary>Returns the clients whose last mutation id changed after a version.</summary>
    public async ValueTask<IReadOnlyList<(string ClientId, long LastMutation, long Version)>> ChangesAsync(
        string groupId,
        long after,
        CancellationToken cancellationToken
    )
    {
        var changes = new List<(string, long, long)>();
        RecordRow? last = null;
        while (true)
        {
            var page = await records.ReadAsync(
                new RecordQuery(Space(groupId), last?.Version ?? after, last?.Key, LivingOnly: true),
                cancellationToken
            );
            foreach (var row in page)
                changes.Add((row.Key, Number(row), row.Version));
            if (page.Count < RecordLimits.MaxPageRecords)
                return changes;
            last = page[^1];
        }
    }

    /// <summary>Removes groups that were last seen before a time, with their clients, and keeps a tombstone of each.</summary>
    /// <returns>The number of groups, and whether there may be more.</returns>
    public async ValueTask<(int Groups, bool HasMore)> RemoveIdleAsync(
        DateTimeOffset before,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var oldest = await records.ReadAsync(new RecordQuery(Owners, Limit: MaxGroups, LivingOnly: true), cancellationToken);
        var tombstones = new GroupTombstones(records);
        var (groups, rows) = (0, 0);
        foreach (var row in oldest)
        {
            // A row of an earlier version has no time. Its group is seen now.
            if (row.Created > 0)
            {
                await records.SaveAsync(Seen(row, now), cancellationToken);
                continue;
            }
            if (row.Version >= before.ToUnixTimeSeconds())
                return (groups, false);
            if (rows >= MaxRows)
                return (groups, true);
            await tombstones.AddAsync(row.Key, cancellationToken);
            rows += await RemoveClientsAsync(row.Key, now, cancellationToken);
            await records.SaveAsync(Removed(row, now), cancellationToken);
            groups++;
        }
        return (groups, oldest.Count == MaxGroups);
    }

    private async ValueTask<int> RemoveClientsAsync(string groupId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = 0;
        foreach (var (clientId, _, _) in await ChangesAsync(groupId, 0, cancellationToken))
        {
            foreach (var space in (SpaceName[])[Space(groupId), ClientIndex])
            {
                await records.SaveAsync(Removed(new RecordRow(space, clientId), now), cancellationToken);
                rows++;
            }
        }
        return rows;
    }

    private async ValueTask<RecordRow?> FindLivingAsync(SpaceName space, string key, CancellationToken cancellationToken) =>
        await records.FindAsync(space, key, cancellationToken) is { IsDeleted: false } row ? row : null;

    private static RecordRow Seen(RecordRow row, DateTimeOffset now) => row with { Version = now.ToUnixTimeSeconds(), Created = 0 };

    private static RecordRow Removed(RecordRow row, DateTimeOffset now) =>
        row with
        {
            Version = 0,
            Created = 0,
            DeletedAt = now,
            Value = default,
        };

    private ValueTask SaveAsync(SpaceName space, string key, string value, long version, CancellationToken cancellationToken) =>
        records.SaveAsync(
            new RecordRow(space, key)
            {
                Version = version,
                Created = version,
                Value = Encoding.UTF8.GetBytes(value),
            },
            cancellationToken
        );

    private static SpaceName Space(string groupId) => SpaceName.Of("dunlin.replicache", "group", groupId);

    private static string Text(RecordRow row) => Encoding.UTF8.GetString(row.Value.Span);

    private static long Number(RecordRow row) => long.Parse(row.Value.Span, NumberStyles.None, CultureInfo.InvariantCulture);

    // One text for both cases, so that it reveals no group or client of another user.
    private static DunlinException Foreign() => new(ErrorCode.Forbidden, "The client group or client belongs to another user.");
}

/// <summary>What the server knows of a client group.</summary>
internal enum GroupState
{
    /// <summary>The group is new, or it has never had a mutation.</summary>
    Unknown,

    /// <summary>The user has this group.</summary>
    Known,

    /// <summary>The user has this group, and it is time to store that it was seen.</summary>
    Unseen,

    /// <summary>The group was removed because it was idle. The server no longer knows which of its mutations it has applied.</summary>
    Removed,
}
