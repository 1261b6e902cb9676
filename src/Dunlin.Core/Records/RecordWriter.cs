using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;

namespace Dunlin.Records;

/// <summary>Changes records and access in one unit of work. Not thread-safe.</summary>
/// <remarks>
/// Every change appends an event to the topic of its space. The offset of that event is the version of the change. Versions therefore grow
/// in commit order, and a reader that has seen version n can also see all lower versions (see <see cref="IJournal"/>).
/// </remarks>
public sealed class RecordWriter
{
    /// <summary>The type of the event for a saved record.</summary>
    public const string PutEvent = "record.put";

    /// <summary>The type of the event for a deleted record.</summary>
    public const string DeletedEvent = "record.deleted";

    /// <summary>The type of the event for granted access.</summary>
    public const string GrantedEvent = "access.granted";

    /// <summary>The type of the event for revoked access.</summary>
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

    /// <summary>Gets the records that this writer has changed so far, in their current state.</summary>
    public IReadOnlyCollection<RecordRow> Changed => _changed.Values;

    /// <summary>Gets the users whose access to a space this writer has granted or revoked.</summary>
    public IReadOnlySet<string> UsersWithChangedAccess => _accessChanged;

    /// <summary>Returns a record; null if it does not exist or is deleted.</summary>
    /// <param name="space">The space.</param>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken = default) =>
        await _tables.Records.FindAsync(space, key, cancellationToken) is { IsDeleted: false } row ? row : null;

    /// <summary>Returns the value of a record; default if it does not exist or is deleted.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="space">The space.</param>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="JsonException">The stored value cannot be deserialised as <typeparamref name="T"/>.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public async ValueTask<T?> FindAsync<T>(SpaceName space, string key, CancellationToken cancellationToken = default) =>
        await FindAsync(space, key, cancellationToken) is { } row
            ? JsonSerializer.Deserialize<T>(row.Value.Span, JsonSerializerOptions.Web)
            : default;

    /// <summary>Returns the value of a record, deserialised by the application's own contract; default if it does not exist or is deleted.
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="space">The space.</param>
    /// <param name="key">The key.</param>
    /// <param name="json">The contract, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="JsonException">The stored value cannot be deserialised as <typeparamref name="T"/>.</exception>
    public async ValueTask<T?> FindAsync<T>(
        SpaceName space,
        string key,
        JsonTypeInfo<T> json,
        CancellationToken cancellationToken = default
    ) => await FindAsync(space, key, cancellationToken) is { } row ? JsonSerializer.Deserialize(row.Value.Span, json) : default;

    /// <summary>Returns the records of a space without deleted ones, ordered by version.</summary>
    /// <param name="space">The space.</param>
    /// <param name="prefix">The prefix of the keys; null for all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
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

    /// <summary>Returns the number of records in a space, without deleted ones.</summary>
    /// <remarks>
    /// The store counts once per writer and space. After that the writer tracks its own changes, so that repeated calls are cheap.
    /// </remarks>
    /// <param name="space">The space.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken = default)
    {
        if (!_counts.TryGetValue(space, out var count))
            _counts.Add(space, count = await _tables.Records.CountAsync(space, cancellationToken));
        return count;
    }

    /// <summary>
    /// Saves a record with <paramref name="value"/> as JSON, serialised with <see cref="JsonSerializerOptions.Web"/> (camelCase).
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="space">The space.</param>
    /// <param name="key">The key: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters.</param>
    /// <param name="value">The value.</param>
    /// <param name="audience">The only user who may read the record; null for all users with access to the space.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The stored record.</returns>
    /// <exception cref="DunlinException">As for <see cref="PutJsonAsync"/>.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask<RecordRow> PutAsync<T>(
        SpaceName space,
        string key,
        T value,
        string? audience = null,
        CancellationToken cancellationToken = default
    ) => SaveAsync(space, key, JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), audience, cancellationToken);

    /// <summary>Saves a record with <paramref name="value"/> as JSON, serialised by the application's own contract: its options, or
    /// source-generated code.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="space">The space.</param>
    /// <param name="key">The key: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters.</param>
    /// <param name="value">The value.</param>
    /// <param name="json">The contract, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="audience">The only user who may read the record; null for all users with access to the space.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The stored record.</returns>
    /// <exception cref="DunlinException">As for <see cref="PutJsonAsync"/>.</exception>
    public ValueTask<RecordRow> PutAsync<T>(
        SpaceName space,
        string key,
        T value,
        JsonTypeInfo<T> json,
        string? audience = null,
        CancellationToken cancellationToken = default
    ) => SaveAsync(space, key, JsonSerializer.SerializeToUtf8Bytes(value, json), audience, cancellationToken);

    /// <summary>Saves a record. An equal value changes nothing.</summary>
    /// <param name="space">The space.</param>
    /// <param name="key">The key: 1 to <see cref="RecordLimits.MaxKeyLength"/> characters. It must be unique among all records that one
    /// user may read: clients identify records by key alone.</param>
    /// <param name="json">One JSON value in UTF-8.</param>
    /// <param name="audience">The only user who may read the record; null for all users with access to the space. Cannot be changed
    /// later.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The stored record.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the key is not valid, a value in the JSON is not allowed, or the audience differs from the
    /// stored one.
    /// <see cref="ErrorCode.InvalidJson"/>: the value is not valid JSON.
    /// <see cref="ErrorCode.TooLarge"/>: the value has more than <see cref="RecordLimits.MaxValueBytes"/> bytes.
    /// </exception>
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

    /// <summary>Deletes a record.</summary>
    /// <param name="space">The space.</param>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>Whether the record existed.</returns>
    public async ValueTask<bool> DeleteAsync(SpaceName space, string key, CancellationToken cancellationToken = default)
    {
        if (await FindAsync(space, key, cancellationToken) is not { } old)
            return false;
        var position = await AppendAsync(space, DeletedEvent, new KeyEvent(key), RecordJson.Default.KeyEvent, cancellationToken);
        await SaveAsync(old with { Version = position.Offset, DeletedAt = _unit.Now, Value = default }, cancellationToken);
        AddToCount(space, -1);
        return true;
    }

    /// <summary>Returns whether a user may read a space.</summary>
    /// <param name="space">The space.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<bool> MayReadAsync(SpaceName space, string userId, CancellationToken cancellationToken = default) =>
        await _tables.Access.FindAsync(space, userId, cancellationToken) is { IsGranted: true };

    /// <summary>Returns the users who may read a space, ordered by user id.</summary>
    /// <param name="space">The space.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public ValueTask<IReadOnlyList<SpaceAccess>> MembersAsync(SpaceName space, CancellationToken cancellationToken = default) =>
        _tables.Access.ListMembersAsync(space, cancellationToken);

    /// <summary>Grants a user access to a space. The user then receives all of its records.</summary>
    /// <param name="space">The space.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>False if the user already has access.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the user id is empty or too long.</exception>
    public async ValueTask<bool> GrantAsync(SpaceName space, string userId, CancellationToken cancellationToken = default)
    {
        if (await MayReadAsync(space, userId, cancellationToken))
            return false;
        await ChangeAccessAsync(space, userId, GrantedEvent, null, cancellationToken);
        return true;
    }

    /// <summary>Revokes a user's access to a space. The user receives the deletion of all its records; other users keep them.</summary>
    /// <remarks>All nodes check the user's open streams again.</remarks>
    /// <param name="space">The space.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>False if the user has no access.</returns>
    public async ValueTask<bool> RevokeAsync(SpaceName space, string userId, CancellationToken cancellationToken = default)
    {
        if (!await MayReadAsync(space, userId, cancellationToken))
            return false;
        await ChangeAccessAsync(space, userId, RevokedEvent, _unit.Now, cancellationToken);
        // One announcement per user is enough: it re-authorises all open streams.
        if (_revoked.Add(userId))
            await _unit.RightsChangedAsync(userId, cancellationToken);
        return true;
    }

    /// <summary>Returns all users who can see a change that this writer has made so far.</summary>
    /// <param name="cancellationToken">Cancels the read.</param>
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
        var position = await AppendAsync(space, PutEvent, new KeyEvent(key), RecordJson.Default.KeyEvent, cancellationToken);
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
        var position = await AppendAsync(space, type, new AccessEvent(userId), RecordJson.Default.AccessEvent, cancellationToken);
        await _tables.Access.SaveAsync(new SpaceAccess(space, userId, position.Offset, revokedAt), cancellationToken);
        _users.Add(userId);
        _accessChanged.Add(userId);
    }

    private ValueTask<Position> AppendAsync<T>(
        SpaceName space,
        string type,
        T data,
        JsonTypeInfo<T> json,
        CancellationToken cancellationToken
    ) => _unit.AppendAsync(EventDraft.Of(space.Topic, type, data, json, _origin), cancellationToken);

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

    // An unpaired surrogate has no UTF-8 encoding: two such keys would be stored as one.
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

    /// <summary>The data of an event about a record.</summary>
    internal sealed record KeyEvent(string Key);

    /// <summary>The data of an event about access to a space.</summary>
    internal sealed record AccessEvent(string UserId);
}
