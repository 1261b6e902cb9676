namespace Dunlin.Mercure.Access;

/// <summary>Where a request had its token.</summary>
internal enum TokenSource
{
    None,
    Header,
    Query,
    Cookie,
}

/// <summary>What a valid token permits. Immutable.</summary>
/// <param name="Grants">The topics.</param>
/// <param name="ExpiresAt">The value of <c>exp</c> (UTC); null for a 0.x token without one.</param>
/// <param name="UserId">A name of the holder that is no user id of this server.</param>
/// <param name="Dialect">The dialect of the token.</param>
/// <param name="Source">Where the request had it.</param>
internal sealed record MercureAccess(
    MercureGrants Grants,
    DateTimeOffset? ExpiresAt,
    string UserId,
    MercureDialects Dialect,
    TokenSource Source
);

/// <summary>A refusal of a request for its token: RFC 6750, section 3.</summary>
internal sealed class AccessRefusedException(int status, string? error, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    /// <summary>The code of the challenge; null if the request had no token.</summary>
    public string? Error { get; } = error;

    public static AccessRefusedException NoToken() => new(401, null, "The request has no access token, and this operation needs one.");

    // One text for all faults: a forger learns nothing from it.
    public static AccessRefusedException InvalidToken() => new(401, "invalid_token", "The access token is not valid for this hub.");

    public static AccessRefusedException InvalidRequest(string detail) => new(400, "invalid_request", detail);

    /// <summary>Version 0.x answers 401 where 1.0 answers 403.</summary>
    public static AccessRefusedException InsufficientScope(MercureDialects dialect, string detail) =>
        new(dialect == MercureDialects.Version0 ? 401 : 403, "insufficient_scope", detail);
}
