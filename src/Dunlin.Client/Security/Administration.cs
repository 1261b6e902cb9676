using System.Text.Json.Serialization;

namespace Dunlin.Client;

/// <summary>The connections of the caller, and totals for administrators. Immutable.</summary>
/// <param name="UserId">The caller.</param>
/// <param name="Connections">The caller's open streams.</param>
/// <param name="TotalConnections">The number of all streams. Null unless the caller is an administrator.</param>
/// <param name="Position">The position of the newest event. Null unless the caller is an administrator.</param>
/// <param name="UnresponsiveNodes">The number of nodes that did not answer. Their streams are missing.</param>
public sealed record ServerStats(
    string UserId,
    IReadOnlyList<OpenConnection> Connections,
    int? TotalConnections = null,
    StreamPosition? Position = null,
    [property: JsonPropertyName("silentNodes")] int UnresponsiveNodes = 0
)
{
    /// <summary>Gets the version of the server, such as <c>0.1.0</c>. Null unless the caller is an administrator, and from servers before
    /// 0.2.0.</summary>
    public string? Version { get; init; }
}

/// <summary>An open stream. Immutable.</summary>
/// <param name="ConnectionId">The id of the connection.</param>
/// <param name="Topics">The topics and patterns.</param>
/// <param name="Device">The id of the device. Null if the client sent none.</param>
/// <param name="OpenedAt">The time of the request.</param>
public sealed record OpenConnection(string ConnectionId, IReadOnlyList<string> Topics, string? Device, DateTimeOffset OpenedAt);

/// <summary>The open streams of a user. Immutable.</summary>
/// <param name="UserId">The user id.</param>
/// <param name="Connections">The open streams.</param>
/// <param name="UnresponsiveNodes">The number of nodes that did not answer. Their streams are missing.</param>
public sealed record UserConnections(
    string UserId,
    IReadOnlyList<OpenConnection> Connections,
    [property: JsonPropertyName("silentNodes")] int UnresponsiveNodes = 0
);

/// <summary>Names what to revoke. Immutable.</summary>
/// <param name="UserId">The user id.</param>
public sealed record UserRevocation(string UserId)
{
    /// <summary>Gets the session. Default: null, which revokes all sessions of the user.</summary>
    public string? SessionId { get; init; }

    /// <summary>Gets the time up to which issued tokens are revoked. Default: null, which is the server's current time.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Gets whether the user stays signed in and fetches a new token, for changed rights. Default: null, which ends the
    /// session.</summary>
    public bool? Renew { get; init; }

    /// <summary>Gets the reason, for the log of the server: at most 100 characters. Default: null.</summary>
    public string? Reason { get; init; }
}

/// <summary>The answer to a revocation. Immutable.</summary>
/// <param name="UserId">The user id.</param>
/// <param name="SessionId">The session. Null if all sessions were revoked.</param>
/// <param name="Before">The time up to which issued tokens are revoked.</param>
public sealed record UserRevoked(string UserId, string? SessionId, DateTimeOffset Before);

/// <summary>A ticket opens one stream, for a browser that cannot send headers. Immutable.</summary>
/// <param name="Ticket">The ticket: the parameter <c>ticket</c> of the stream's address.</param>
/// <param name="ExpiresIn">Seconds until it expires.</param>
public sealed record StreamTicket(string Ticket, int ExpiresIn);
