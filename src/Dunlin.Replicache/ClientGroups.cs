using System.Globalization;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.Replicache;

/// <summary>Stores the owner of each client group, the clients of each group, and the last mutation of each client. Not
/// thread-safe.</summary>
/// <remarks>They are records in spaces to which no user ever has access. They therefore commit with the data, and the same query finds
/// changes of both.</remarks>
internal sealed class ClientGroups(IRecordTable records)
{
    // Reserved names: the spaces of applications do not start like this by accident.
    private static readonly SpaceName Owners = SpaceName.Parse("dunlin.replicache/owners");
    private static readonly SpaceName ClientIndex = SpaceName.Parse("dunlin.replicache/clients");

    /// <summary>Throws if the group belongs to another user. The error reveals nothing about the group.</summary>
    /// <returns>Whether the group is known.</returns>
    public async ValueTask<bool> RequireOwnAsync(string groupId, string userId, CancellationToken cancellationToken)
    {
        if (await records.FindAsync(Owners, groupId, cancellationToken) is not { } row)
            return false;
        return Text(row) == userId ? true : throw Foreign();
    }

    /// <summary>Returns the last mutation id of a client, or null if the client is unknown. Throws if the client belongs to another
    /// group.</summary>
    public async ValueTask<long?> FindLastMutationAsync(string groupId, string clientId, CancellationToken cancellationToken)
    {
        if (await records.FindAsync(Space(groupId), clientId, cancellationToken) is { } row)
            return Number(row);
        return await records.FindAsync(ClientIndex, clientId, cancellationToken) is null ? null : throw Foreign();
    }

    public ValueTask AddGroupAsync(string groupId, string userId, long version, CancellationToken cancellationToken) =>
        SaveAsync(Owners, groupId, userId, version, cancellationToken);

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
            var page = await records.ReadAsync(new RecordQuery(Space(groupId), last?.Version ?? after, last?.Key), cancellationToken);
            foreach (var row in page)
                changes.Add((row.Key, Number(row), row.Version));
            if (page.Count < RecordLimits.MaxPageRecords)
                return changes;
            last = page[^1];
        }
    }

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
