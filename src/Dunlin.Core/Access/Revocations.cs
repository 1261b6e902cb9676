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
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Access;

/// <summary>
/// Ends credentials before they run out, where somebody else issues them and no session store knows of them: from a moment on, all
/// that were issued to a user, or to one session of a user, up to that moment open nothing any more. Open streams are closed
/// and leases released at once.
/// <para>
/// What was revoked is a record of the store and its announcement an event of the same transaction, on a topic that nobody else may
/// use: so it holds after a restart, and every node that shares the store hears of it, whatever hint was lost. Each node keeps
/// all revocations in memory, some 200 bytes each. Between the commit and a node's hearing of it, that node may let a credential
/// in; the stream that it opens is closed when the node hears.
/// </para>
/// Safe for concurrent use.
/// </summary>
public sealed partial class Revocations : IHostedService
{
    private static readonly SpaceName Space = SpaceName.Of("revocations");
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "revocations");

    /// <summary>Forgetting rides along with revoking: so many at a time, so that they never gather.</summary>
    private const int ForgottenAtOnce = 10;

    private readonly ConcurrentDictionary<RevokedKey, DateTimeOffset> _before = new();
    private readonly ConcurrentQueue<RevokedKey> _sessions = new();
    private readonly IStore _store;
    private readonly EventFanout _fanout;
    private readonly LeaseService _leases;
    private readonly TimeProvider _time;
    private readonly RevocationOptions _options;
    private readonly ILogger _logger;

    /// <summary>Made by the container, before the node begins.</summary>
    public Revocations(
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

    /// <summary>How many are remembered.</summary>
    public int Count => _before.Count;

    /// <summary>Whether a credential has been revoked. One that does not say when it was issued is older than every revocation.</summary>
    public bool IsRevoked(string userId, string? sessionId, DateTimeOffset? issuedAt) =>
        !_before.IsEmpty
        && (
            Covers(new RevokedKey(userId, null), issuedAt) || (sessionId is not null && Covers(new RevokedKey(userId, sessionId), issuedAt))
        );

    /// <summary>Whether the credential of a caller has been revoked.</summary>
    public bool IsRevoked(Caller caller) => IsRevoked(caller.UserId, caller.SessionId, caller.IssuedAt);

    /// <summary>
    /// Revokes what was issued up to a moment. Repeating it changes nothing; an earlier moment than one revoked before has no effect.
    /// </summary>
    /// <param name="userId">Whose credentials.</param>
    /// <param name="request">Which, and how their streams end.</param>
    /// <param name="cancellationToken">Abandons it if the commit has not begun.</param>
    /// <returns>The moment that holds now, after the commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the moment lies in the future, or an id is none;
    /// <see cref="ErrorCode.StoreUnavailable"/>.</exception>
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
                "'before' lies in the future: what is issued until then would be refused.",
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

    /// <summary>Reads what the store holds. Called once, when it is open, before the node takes requests.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before reading, so that no revocation of another node falls between.
        _fanout.EventsOf(Topic).Subscribe(OnEvent);
        RecordQuery? next = new(Space, LivingOnly: true);
        while (next is not null)
        {
            var query = next;
            var rows = await _store.ReadAsync((scope, ct) => scope.RecordTables().Records.ReadAsync(query, ct), cancellationToken);
            foreach (var row in rows)
            {
                if (JsonSerializer.Deserialize<Entry>(row.Value.Span, JsonSerializerOptions.Web) is { } entry)
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
        if (await records.FindAsync<Entry>(Space, key.Key, cancellationToken) is { } known && known.Before > before)
            before = known.Before;
        var entry = new Entry(key.UserId, key.SessionId, before, request.ForceRefresh);
        await records.PutAsync(Space, key.Key, entry, cancellationToken: cancellationToken);
        await unit.AppendAsync(EventDraft.Of(Topic, "revoked", entry), cancellationToken);
        return entry;
    }

    private bool Covers(RevokedKey key, DateTimeOffset? issuedAt) =>
        _before.TryGetValue(key, out var before) && (issuedAt is null || issuedAt <= before);

    // In the fan-out's intake, which must not wait, and closing a stream writes to it.
    private void OnEvent(Event entry)
    {
        if (JsonSerializer.Deserialize<Entry>(entry.Data.Span, JsonSerializerOptions.Web) is { } revoked)
            ThreadPool.UnsafeQueueUserWorkItem(
                static state => state.Revocations.Apply(state.Revoked),
                (Revocations: this, Revoked: revoked),
                preferLocal: false
            );
    }

    // First kept, then closed: a stream that is being opened meanwhile is either seen here, or sees itself that it is revoked.
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

    // In the order in which they were heard of; one that was revoked anew goes to the end.
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
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to 400 characters.", field);
    }

    [LoggerMessage(
        4100,
        LogLevel.Information,
        "What was issued to user {UserId} (session {SessionId}) up to {Before} is revoked: {Reason}"
    )]
    private static partial void LogRevoked(ILogger logger, PeerText userId, PeerText sessionId, DateTimeOffset before, PeerText reason);

    /// <summary>A user, or one session of a user. Sessions of other issuers have the ids that these chose.</summary>
    private readonly record struct RevokedKey(string UserId, string? SessionId)
    {
        /// <summary>The key of its record: ids may be longer than keys, and hold other characters.</summary>
        public string Key => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{UserId}\n{SessionId}")));
    }

    private sealed record Entry(
        string UserId,
        string? SessionId,
        DateTimeOffset Before,
        [property: JsonPropertyName("renew")] bool ForceRefresh
    );
}

/// <summary>Which credentials of a user end.</summary>
public sealed record RevocationRequest
{
    /// <summary>Only those of this session; null for all of the user.</summary>
    public string? SessionId { get; init; }

    /// <summary>Those issued up to this moment; null for now.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Whether the user stays: streams end like those of a token that has run out, so that pages get a fresh one and go on
    /// with the rights that it has, and leases are kept. Default: false, signed out.</summary>
    public bool ForceRefresh { get; init; }

    /// <summary>A short word for the log.</summary>
    public string Reason { get; init; } = "revoked";
}
