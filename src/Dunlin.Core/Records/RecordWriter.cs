using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;

namespace Dunlin.Records;

/// <summary>
/// Changes records and access in one unit of work. Every change appends an event to the topic of its space, and the
/// position of that event is the version of what changed: so versions grow in the order of commit, and a reader that has
/// seen version n has been able to see all below (the argument stands with the journal). Not for concurrent use.
/// </summary>
public sealed class RecordWriter
{
    /// <summary>Type of the event of a record that was put.</summary>
    public const string PutEvent = "record.put";

    /// <summary>Type of the event of a record that was deleted.</summary>
    public const string DeletedEvent = "record.deleted";

    /// <summary>Type of the event of access that was given.</summary>
    public const string GrantedEvent = "access.granted";

    /// <summary>Type of the event of access that was taken.</summary>
    public const string RevokedEvent = "access.revoked";

    private readonly IUnitOfWork _unit;
    private readonly IRecordScope _tables;
    private readonly EventOrigin? _origin;
    private readonly HashSet<SpaceName> _spaces = [];
    private readonly HashSet<string> _users = new(StringComparer.Ordinal);
    private readonly HashSet<string> _accessChanged = new(StringComparer.Ordinal);
    private readonly HashSet<string> _revoked = new(StringComparer.Ordinal);
    private readonly Dictionary<(SpaceName Space, string Key), RecordRow> _changed = [];
    private readonly Dictionary<SpaceName, int> _counts = [];

    internal RecordWriter(IUnitOfWork unit, IRecordScope tables, EventOrigin? origin) => (_unit, _tables, _origin) = (unit, tables, origin);

    /// <summary>The records that this writer has changed so far, each as it is now: for whoever has to tell of them one by one.</summary>
    public IReadOnlyCollection<RecordRow> Changed => _changed.Values;

    /// <summary>The users whom this writer has given, or taken, a space so far.</summary>
    public IReadOnlySet<string> UsersWithChangedAccess => _accessChanged;

    /// <summary>The living record of a key; null where there is none.</summary>
    public async ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken = default) =>
        await _tables.Records.FindAsync(space, key, cancellationToken) is { IsDeleted: false } row ? row : null;

    /// <summary>The value of a living record; default where there is none.</summary>
    public async ValueTask<T?> FindAsync<T>(SpaceName space, string key, CancellationToken cancellationToken = default) =>
        await FindAsync(space, key, cancellationToken) is { } row
            ? JsonSerializer.Deserialize<T>(row.Value.Span, JsonSerializerOptions.Web)
            : default;

    /// <summary>The living records of a space, by version.</summary>
    public async ValueTask<IReadOnlyList<RecordRow>> ListAsync(
        SpaceName space,
        string? prefix = null,
        CancellationToken cancellationToken = default
    )
    {
        var rows = new List<RecordRow>();
        while (true)
        {
            var page = await _tables.Records.ReadAsync(
                new RecordQuery(
                    space,
                    rows.Count == 0 ? 0 : rows[^1].Version,
                    rows.Count == 0 ? null : rows[^1].Key,
                    Prefix: prefix,
                    LivingOnly: true
                ),
                cancellationToken
            );
            rows.AddRange(page);
            if (page.Count < RecordLimits.MaxPageRecords)
                return rows;
        }
    }

    /// <summary>The number of living records in a space. The store counts once for each writer; afterwards the writer keeps count of
    /// its own changes, so that asking before every change of a long unit of work costs little.</summary>
    public async ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken = default)
    {
        if (!_counts.TryGetValue(space, out var count))
            _counts.Add(space, count = await _tables.Records.CountAsync(space, cancellationToken));
        return count;
    }

    /// <summary>Puts a record whose value is <paramref name="value"/> as JSON in web style (camelCase).</summary>
    public ValueTask<RecordRow> PutAsync<T>(
        SpaceName space,
        string key,
        T value,
        string? audience = null,
        CancellationToken cancellationToken = default
    ) => SaveAsync(space, key, JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), audience, cancellationToken);

    /// <summary>Puts a record. A value that it has already changes nothing.</summary>
    /// <param name="space">The space.</param>
    /// <param name="key">1 to <see cref="RecordLimits.MaxKeyLength"/> characters. Within all that one user may read a key is
    /// used once at a time: clients know records by key alone.</param>
    /// <param name="json">One JSON value in UTF-8.</param>
    /// <param name="audience">The only user who may read it; null for all who may read the space. It cannot be changed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, <see cref="ErrorCode.InvalidJson"/>, <see
    /// cref="ErrorCode.TooLarge"/>.</exception>
    public ValueTask<RecordRow> PutJsonAsync(
        SpaceName space,
        string key,
        ReadOnlyMemory<byte> json,
        string? audience = null,
        CancellationToken cancellationToken = default
    )
    {
        CheckJson(json.Span);
        return SaveAsync(space, key, json, audience, cancellationToken);
    }

    /// <summary>Deletes a record; false where there is no living one.</summary>
    public async ValueTask<bool> DeleteAsync(SpaceName space, string key, CancellationToken cancellationToken = default)
    {
        if (await FindAsync(space, key, cancellationToken) is not { } old)
            return false;
        var position = await AppendAsync(space, DeletedEvent, new { key }, cancellationToken);
        await SaveAsync(old with { Version = position.Offset, DeletedAt = _unit.Now, Value = default }, cancellationToken);
        AddToCount(space, -1);
        return true;
    }

    /// <summary>Whether a user may read a space.</summary>
    public async ValueTask<bool> MayReadAsync(SpaceName space, string userId, CancellationToken cancellationToken = default) =>
        await _tables.Access.FindAsync(space, userId, cancellationToken) is { IsGranted: true };

    /// <summary>Who may read a space.</summary>
    public ValueTask<IReadOnlyList<SpaceAccess>> MembersAsync(SpaceName space, CancellationToken cancellationToken = default) =>
        _tables.Access.ListMembersAsync(space, cancellationToken);

    /// <summary>Lets a user read a space: all of it appears at once. False where the user may already.</summary>
    public async ValueTask<bool> GrantAsync(SpaceName space, string userId, CancellationToken cancellationToken = default)
    {
        if (await MayReadAsync(space, userId, cancellationToken))
            return false;
        await ChangeAccessAsync(space, userId, GrantedEvent, null, cancellationToken);
        return true;
    }

    /// <summary>Takes a user's access: all of the space vanishes for this user, and stays for the others. What the user has open is
    /// authorised again, at all nodes. False where there is none.</summary>
    public async ValueTask<bool> RevokeAsync(SpaceName space, string userId, CancellationToken cancellationToken = default)
    {
        if (!await MayReadAsync(space, userId, cancellationToken))
            return false;
        await ChangeAccessAsync(space, userId, RevokedEvent, _unit.Now, cancellationToken);
        // Once is enough: all that is open is looked at again.
        if (_revoked.Add(userId))
            await _unit.RightsChangedAsync(userId, cancellationToken);
        return true;
    }

    /// <summary>All users who see something of what this writer has changed so far.</summary>
    public async ValueTask<IReadOnlySet<string>> AffectedUsersAsync(CancellationToken cancellationToken = default)
    {
        var users = new HashSet<string>(_users, StringComparer.Ordinal);
        foreach (var space in _spaces)
        {
            foreach (var member in await _tables.Access.ListMembersAsync(space, cancellationToken))
                users.Add(member.UserId);
        }
        return users;
    }

    private async ValueTask<RecordRow> SaveAsync(
        SpaceName space,
        string key,
        ReadOnlyMemory<byte> json,
        string? audience,
        CancellationToken cancellationToken
    )
    {
        CheckKey(key);
        if (json.Length > RecordLimits.MaxValueBytes)
        {
            throw new DunlinException(
                ErrorCode.TooLarge,
                $"The record '{key}' has {json.Length} bytes; the limit is {RecordLimits.MaxValueBytes}."
            )
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = RecordLimits.MaxValueBytes },
            };
        }
        var old = await _tables.Records.FindAsync(space, key, cancellationToken);
        if (old is not null && !string.Equals(old.Audience, audience, StringComparison.Ordinal))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The audience of the record '{key}' cannot change. Delete the record and use another key.",
                "audience"
            );
        if (old is { IsDeleted: false } && old.Value.Span.SequenceEqual(json.Span))
            return old;
        var position = await AppendAsync(space, PutEvent, new { key }, cancellationToken);
        var row = new RecordRow(space, key)
        {
            Version = position.Offset,
            Created = old?.Created ?? position.Offset,
            Audience = audience,
            Value = json,
        };
        await SaveAsync(row, cancellationToken);
        if (old is not { IsDeleted: false })
            AddToCount(space, 1);
        return row;
    }

    private void AddToCount(SpaceName space, int change)
    {
        if (_counts.TryGetValue(space, out var count))
            _counts[space] = count + change;
    }

    private async ValueTask ChangeAccessAsync(
        SpaceName space,
        string userId,
        string type,
        DateTimeOffset? revokedAt,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrEmpty(userId) || userId.Length > RecordLimits.MaxKeyLength)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A user id must have 1 to {RecordLimits.MaxKeyLength} characters.",
                "userId"
            );
        var position = await AppendAsync(space, type, new { userId }, cancellationToken);
        await _tables.Access.SaveAsync(new SpaceAccess(space, userId, position.Offset, revokedAt), cancellationToken);
        _users.Add(userId);
        _accessChanged.Add(userId);
    }

    private ValueTask<Position> AppendAsync<T>(SpaceName space, string type, T data, CancellationToken cancellationToken) =>
        _unit.AppendAsync(EventDraft.Of(space.Topic, type, data, _origin), cancellationToken);

    private async ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken)
    {
        await _tables.Records.SaveAsync(row, cancellationToken);
        _changed[(row.Space, row.Key)] = row;
        if (row.Audience is null)
            _spaces.Add(row.Space);
        else
            _users.Add(row.Audience);
    }

    private static void CheckKey(string key)
    {
        if (string.IsNullOrEmpty(key) || key.Length > RecordLimits.MaxKeyLength || key.Any(char.IsControl) || !IsWhole(key))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A key must have 1 to {RecordLimits.MaxKeyLength} characters, without control characters.",
                "key"
            );
    }

    // Half a surrogate pair has no UTF-8 of its own: two such keys would become one.
    private static bool IsWhole(string key)
    {
        foreach (var rune in key.EnumerateRunes())
        {
            if (rune == System.Text.Rune.ReplacementChar)
                return false;
        }
        return true;
    }

    private static void CheckJson(ReadOnlySpan<byte> json)
    {
        if (JsonText.Find(json, JsonTextRules.Document) is { } fault)
            throw new DunlinException(
                ErrorCode.InvalidJson,
                fault.Path.Length == 0 ? $"The record {fault.Reason}" : $"The record {fault.Reason} At '{fault.Path}'."
            );
    }
}
