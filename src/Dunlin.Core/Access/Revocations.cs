using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Access;

/// <summary>Revokes credentials of external issuers before they expire. Thread-safe.</summary>
/// <remarks>
/// A revocation applies to all credentials that were issued to a user, or to one session of a user, up to a time. It closes open streams
/// and releases leases.
/// <para>
/// A revocation is a record of the store. The event that announces it is appended in the same transaction, to a topic that only the engine
/// can use. It therefore survives restarts and reaches every node of the store, even if a notification is lost. Each node holds all
/// revocations in memory, about 200 bytes each.
/// </para>
/// <para>
/// Until a node has received a revocation, it may still accept a revoked credential. It closes the resulting stream when it receives the
/// revocation.
/// </para>
/// </remarks>
public sealed partial class Revocations : IHostedService
{
    private static readonly SpaceName Space = SpaceName.Of("revocations");
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "revocations");

    /// <summary>The maximum number of expired revocations that one new revocation removes, so that they do not accumulate.</summary>
    private const int ForgottenAtOnce = 10;

    private readonly ConcurrentDictionary<RevokedKey, DateTimeOffset> _before = new();
    private readonly ConcurrentQueue<RevokedKey> _sessions = new();
    private readonly IStore _store;
    private readonly EventFanout _fanout;
    private readonly LeaseService _leases;
    private readonly TimeProvider _time;
    private readonly RevocationOptions _options;
    private readonly ILogger _logger;

    /// <summary>Creates the service. For the service container.</summary>
    /// <param name="store">The store.</param>
    /// <param name="fanout">The fan-out with the open streams.</param>
    /// <param name="leases">The lease service.</param>
    /// <param name="time">The time provider.</param>
    /// <param name="options">The options.</param>
    /// <param name="logger">The logger.</param>
    internal Revocations(
        IStore store,
        EventFanout fanout,
        LeaseService leases,
        TimeProvider time,
        IOptions<RevocationOptions> options,
        ILogger<Revocations> logger
    )
    {
        _store = store;
        _fanout = fanout;
        _leases = leases;
        _time = time;
        _options = options.Value;
        _logger = logger;
    }

    /// <summary>Gets the number of revocations in memory.</summary>
    public int Count => _before.Count;

    /// <summary>Returns whether a credential is revoked.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="sessionId">The session; null if the credential has none.</param>
    /// <param name="issuedAt">The time of issue. Null counts as older than every revocation.</param>
    public bool IsRevoked(string userId, string? sessionId, DateTimeOffset? issuedAt) =>
        !_before.IsEmpty
        && (
            Covers(new RevokedKey(userId, null), issuedAt) || (sessionId is not null && Covers(new RevokedKey(userId, sessionId), issuedAt))
        );

    /// <summary>Returns whether the credential of a caller is revoked.</summary>
    /// <param name="caller">The caller.</param>
    public bool IsRevoked(Caller caller) => IsRevoked(caller.UserId, caller.SessionId, caller.IssuedAt);

    /// <summary>
    /// Revokes the credentials that were issued up to a time. Idempotent: an earlier time than that of an existing revocation has no
    /// effect.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="request">The credentials to revoke, and how their streams end.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The time up to which credentials are now revoked (UTC), after the commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the time is in the future, or an id is not valid.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was revoked.</exception>
    public async ValueTask<DateTimeOffset> RevokeAsync(
        string userId,
        RevocationRequest request,
        CancellationToken cancellationToken = default
    )
    {
        RequireId(userId, "userId");
        if (request.SessionId is not null)
            RequireId(request.SessionId, "sessionId");
        var now = _time.GetUtcNow();
        if (request.Before > now)
            throw new DunlinException(
                ErrorCode.InvalidField,
                "'before' is in the future. Use a time that has passed, or omit it for now.",
                "before"
            );
        var key = new RevokedKey(userId, request.SessionId);
        var forgotten = TakeForgotten(now);
        Entry entry;
        try
        {
            entry = await _store.WriteAsync(
                (unit, ct) => WriteAsync(unit, key, request, request.Before ?? now, forgotten, ct),
                cancellationToken
            );
        }
        catch
        {
            forgotten.ForEach(_sessions.Enqueue);
            throw;
        }
        foreach (var old in forgotten)
            _before.TryRemove(old, out _);
        LogRevoked(_logger, userId, request.SessionId, entry.Before, request.Reason);
        Apply(entry);
        if (!request.ForceRefresh)
            await ReleaseLeasesAsync(userId, request.SessionId, cancellationToken);
        return entry.Before;
    }

    /// <summary>Loads the revocations from the store. Called once, after the store is open and before the node takes requests.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Subscribe before the read, so that no revocation of another node is missed.
        _fanout.EventsOf(Topic).Subscribe(OnEvent);
        RecordQuery? next = new(Space, LivingOnly: true);
        while (next is not null)
        {
            var query = next;
            var rows = await _store.ReadAsync((scope, ct) => scope.RecordTables().Records.ReadAsync(query, ct), cancellationToken);
            foreach (var row in rows)
            {
                if (JsonSerializer.Deserialize(row.Value.Span, RevocationJson.Default.Entry) is { } entry)
                    Keep(entry);
            }
            next = rows.Count < RecordLimits.MaxPageRecords ? null : query with { After = rows[^1].Version, AfterKey = rows[^1].Key };
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async ValueTask<Entry> WriteAsync(
        IUnitOfWork unit,
        RevokedKey key,
        RevocationRequest request,
        DateTimeOffset before,
        List<RevokedKey> forgotten,
        CancellationToken cancellationToken
    )
    {
        var records = unit.Records();
        foreach (var old in forgotten.Where(old => old != key))
            await records.DeleteAsync(Space, old.Key, cancellationToken);
        if (await records.FindAsync(Space, key.Key, RevocationJson.Default.Entry, cancellationToken) is { } known && known.Before > before)
            before = known.Before;
        var entry = new Entry(key.UserId, key.SessionId, before, request.ForceRefresh);
        await records.PutAsync(Space, key.Key, entry, RevocationJson.Default.Entry, cancellationToken: cancellationToken);
        await unit.AppendAsync(EventDraft.Of(Topic, "revoked", entry, RevocationJson.Default.Entry), cancellationToken);
        return entry;
    }

    private bool Covers(RevokedKey key, DateTimeOffset? issuedAt) =>
        _before.TryGetValue(key, out var before) && (issuedAt is null || issuedAt <= before);

    // Runs in the intake of the fan-out, which must not block: closing a stream writes to it, so use the thread pool.
    private void OnEvent(DunlinEvent entry)
    {
        if (JsonSerializer.Deserialize(entry.Data.Span, RevocationJson.Default.Entry) is { } revoked)
            Background.Queue(static state => state.Revocations.Apply(state.Revoked), (Revocations: this, Revoked: revoked));
    }

    // Keep first, then close: a stream that is being opened is either found here or sees the revocation itself.
    private void Apply(Entry entry)
    {
        Keep(entry);
        foreach (var connection in _fanout.OfUser(entry.UserId))
        {
            if (IsRevoked(connection.Caller))
                connection.Close(entry.ForceRefresh ? ConnectionEnd.TokenExpired : ConnectionEnd.SignedOut);
        }
    }

    private void Keep(Entry entry)
    {
        var key = new RevokedKey(entry.UserId, entry.SessionId);
        if (_before.TryAdd(key, entry.Before))
        {
            if (entry.SessionId is not null)
                _sessions.Enqueue(key);
            return;
        }
        _before.AddOrUpdate(key, static (_, heard) => heard, static (_, known, heard) => known > heard ? known : heard, entry.Before);
    }

    private async Task ReleaseLeasesAsync(string userId, string? sessionId, CancellationToken cancellationToken)
    {
        if (sessionId is null)
            await _leases.EndUserAsync(userId, LeaseEnd.SignedOut, cancellationToken);
        else
            await _leases.EndSessionAsync(sessionId, LeaseEnd.SignedOut, owner => owner.UserId == userId, cancellationToken);
    }

    // In the order of receipt. A session that was revoked again moves to the end.
    private List<RevokedKey> TakeForgotten(DateTimeOffset now)
    {
        var forgotten = new List<RevokedKey>();
        while (
            forgotten.Count < ForgottenAtOnce
            && _sessions.TryPeek(out var oldest)
            && (!_before.TryGetValue(oldest, out var before) || before + _options.SessionAge <= now)
        )
        {
            if (_sessions.TryDequeue(out var taken) && _before.TryGetValue(taken, out before))
            {
                if (before + _options.SessionAge <= now)
                    forgotten.Add(taken);
                else
                    _sessions.Enqueue(taken);
            }
        }
        return forgotten;
    }

    private static void RequireId(string id, string field)
    {
        if (id.Length is 0 or > 400 || id.Any(char.IsControl))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 1 to 400 characters.", field);
    }

    [LoggerMessage(
        4100,
        LogLevel.Information,
        "Revoked the credentials of user {UserId} (session {SessionId}) issued up to {Before}. Reason: {Reason}"
    )]
    private static partial void LogRevoked(ILogger logger, PeerText userId, PeerText sessionId, DateTimeOffset before, PeerText reason);

    /// <summary>
    /// A user, or one session of a user. The user is part of the key because external issuers choose their own session ids.
    /// </summary>
    private readonly record struct RevokedKey(string UserId, string? SessionId)
    {
        /// <summary>Gets the key of the record: a hash, because ids may be longer than keys and contain other characters.</summary>
        public string Key => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{UserId}\n{SessionId}")));
    }

    internal sealed record Entry(
        string UserId,
        string? SessionId,
        DateTimeOffset Before,
        [property: JsonPropertyName("renew")] bool ForceRefresh
    );
}

/// <summary>Selects the credentials of a user to revoke. Immutable.</summary>
public sealed record RevocationRequest
{
    /// <summary>Gets the session whose credentials are revoked; null (the default) for all credentials of the user.</summary>
    public string? SessionId { get; init; }

    /// <summary>Gets the time up to which credentials are revoked, by their time of issue; null (the default) for now.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Gets whether the user stays signed in. Default: false.</summary>
    /// <remarks>
    /// If true, streams end with <see cref="ConnectionEnd.TokenExpired"/>, so that clients resume with a new token and its rights, and
    /// leases are kept.
    /// </remarks>
    public bool ForceRefresh { get; init; }

    /// <summary>Gets a short reason for the log. Default: <c>revoked</c>.</summary>
    public string Reason { get; init; } = "revoked";
}
