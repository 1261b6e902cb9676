namespace Dunlin.Diagnostics;

/// <summary>What a client does about an error.</summary>
public enum ErrorClass
{
    /// <summary>Try the same again, later.</summary>
    Retry,

    /// <summary>What the client knows is out of date: fetch afresh, then go on.</summary>
    Resync,

    /// <summary>The same request will fail again: change it, or ask the user.</summary>
    Stop,
}

/// <summary>
/// One row of the error table: the stable code of the wire, the HTTP status it travels with, its class and a hint that
/// says what to do. The table is <see cref="All"/>; the problem+json responses and the TypeScript union come from it.
/// </summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Status">HTTP status (RFC 9110), used by the HTTP layer only.</param>
/// <param name="Class">What a client does about it.</param>
/// <param name="Title">One short sentence.</param>
/// <param name="Hint">What to do.</param>
public sealed record ErrorCode(string Code, int Status, ErrorClass Class, string Title, string Hint)
{
#pragma warning disable CS1591 // each row explains itself
    public static readonly ErrorCode InvalidJson = new(
        "invalid_json",
        400,
        ErrorClass.Stop,
        "The body is not valid JSON.",
        "Send one JSON value in UTF-8 with Content-Type: application/json."
    );
    public static readonly ErrorCode InvalidField = new(
        "invalid_field",
        400,
        ErrorClass.Stop,
        "A field has a wrong value.",
        "Correct the field named in 'field'."
    );
    public static readonly ErrorCode UnknownField = new(
        "unknown_field",
        400,
        ErrorClass.Stop,
        "A field is not known here.",
        "Remove or rename the field named in 'field'."
    );
    public static readonly ErrorCode InvalidTopic = new(
        "invalid_topic",
        400,
        ErrorClass.Stop,
        "A topic name is not valid.",
        "Use segments of letters, digits and -._~:@|+=!$% joined by '/', 200 characters at most."
    );
    public static readonly ErrorCode InvalidResource = new(
        "invalid_resource",
        400,
        ErrorClass.Stop,
        "A resource name is not valid.",
        "Use segments of letters, digits and -._~:@|+=!$% joined by '/', 200 characters at most."
    );
    public static readonly ErrorCode InvalidPosition = new(
        "invalid_position",
        400,
        ErrorClass.Resync,
        "A position is not valid.",
        "Use a position that the server sent, or leave it out to start from now."
    );
    public static readonly ErrorCode TooManyTopics = new(
        "too_many_topics",
        400,
        ErrorClass.Stop,
        "Too many topics on one stream.",
        "Subscribe to fewer topics, or open a second stream."
    );
    public static readonly ErrorCode NotSignedIn = new(
        "not_signed_in",
        401,
        ErrorClass.Stop,
        "You are not signed in.",
        "Sign in, then send a bearer token, the session cookie or a fresh ticket."
    );
    public static readonly ErrorCode InvalidCredentials = new(
        "invalid_credentials",
        401,
        ErrorClass.Stop,
        "The user name or the password is wrong.",
        "Check both and try again."
    );
    public static readonly ErrorCode Forbidden = new(
        "forbidden",
        403,
        ErrorClass.Stop,
        "You may not do this.",
        "Ask for access, or sign in as another user."
    );
    public static readonly ErrorCode OriginRefused = new(
        "origin_refused",
        403,
        ErrorClass.Stop,
        "This origin may not write with the session cookie.",
        "Call from the site itself, allow the origin in the options, or use a bearer token."
    );
    public static readonly ErrorCode NotFound = new(
        "not_found",
        404,
        ErrorClass.Stop,
        "There is no such thing.",
        "Check the address; it may have been deleted."
    );
    public static readonly ErrorCode MethodNotAllowed = new(
        "method_not_allowed",
        405,
        ErrorClass.Stop,
        "This address does not take that method.",
        "See the Allow header."
    );
    public static readonly ErrorCode UserChanged = new(
        "user_changed",
        409,
        ErrorClass.Stop,
        "Another user is signed in now.",
        "Load the page anew: it acts for a user who is no longer signed in here. Nothing was done."
    );
    public static readonly ErrorCode LeaseLost = new(
        "lease_lost",
        409,
        ErrorClass.Resync,
        "The lease is no longer yours.",
        "Keep the work as a draft, read the current state and acquire again."
    );
    public static readonly ErrorCode IdempotencyKeyReused = new(
        "idempotency_key_reused",
        409,
        ErrorClass.Stop,
        "The idempotency key was used for another request.",
        "Use a new key for a new request."
    );
    public static readonly ErrorCode Conflict = new(
        "conflict",
        409,
        ErrorClass.Resync,
        "The request does not fit the current state.",
        "Read the current state and decide again."
    );
    public static readonly ErrorCode CheckpointExpired = new(
        "checkpoint_expired",
        410,
        ErrorClass.Resync,
        "The checkpoint cannot be continued from.",
        "Pull from the beginning, without a position, and drop what is not told again."
    );
    public static readonly ErrorCode VersionMismatch = new(
        "version_mismatch",
        412,
        ErrorClass.Resync,
        "The thing has changed since you read it.",
        "Read it again and repeat the change with the new version."
    );
    public static readonly ErrorCode TooLarge = new(
        "too_large",
        413,
        ErrorClass.Stop,
        "The request is too large.",
        "Stay within the limit named in 'limit'."
    );
    public static readonly ErrorCode UnsupportedMediaType = new(
        "unsupported_media_type",
        415,
        ErrorClass.Stop,
        "This content type is not taken here.",
        "Send the body uncompressed, with the content type that the endpoint takes."
    );
    public static readonly ErrorCode LeaseHeld = new(
        "lease_held",
        423,
        ErrorClass.Retry,
        "Another holder has the lease.",
        "Wait until it is released or expires; see 'holder' and 'expiresAt'."
    );
    public static readonly ErrorCode SchemaOutdated = new(
        "schema_outdated",
        426,
        ErrorClass.Stop,
        "The page is older than the server.",
        "Load the page anew; what was not sent yet is kept and migrated."
    );
    public static readonly ErrorCode TooManyRequests = new(
        "too_many_requests",
        429,
        ErrorClass.Retry,
        "Too many requests.",
        "Wait as long as Retry-After says."
    );
    public static readonly ErrorCode TooManyConnections = new(
        "too_many_connections",
        429,
        ErrorClass.Retry,
        "Too many open streams.",
        "Close a stream that is not needed, or wait as long as Retry-After says."
    );
    public static readonly ErrorCode QueueFull = new(
        "queue_full",
        429,
        ErrorClass.Retry,
        "Too many are waiting for this lease.",
        "Try again later."
    );
    public static readonly ErrorCode LimitReached = new(
        "limit_reached",
        429,
        ErrorClass.Stop,
        "A limit is reached.",
        "Delete what is no longer needed, or ask the operator for more; 'limit' says how much there can be."
    );
    public static readonly ErrorCode Internal = new(
        "internal",
        500,
        ErrorClass.Retry,
        "The server failed.",
        "Try again; if it lasts, tell the operator the trace id."
    );
    public static readonly ErrorCode IdentityUnavailable = new(
        "identity_unavailable",
        503,
        ErrorClass.Retry,
        "The identity provider does not answer.",
        "Try again; you are not signed out. If it lasts, tell the operator."
    );
    public static readonly ErrorCode StoreUnavailable = new(
        "store_unavailable",
        503,
        ErrorClass.Retry,
        "The store cannot be written now.",
        "Try again; nothing of this request was kept."
    );
    public static readonly ErrorCode OutcomeUnknown = new(
        "outcome_unknown",
        503,
        ErrorClass.Resync,
        "Whether the request was carried out is not known.",
        "Repeat it with the same idempotency key, or read the current state before you repeat it: it may have been kept."
    );
    public static readonly ErrorCode Draining = new(
        "draining",
        503,
        ErrorClass.Retry,
        "The server is shutting down.",
        "Connect again; another node or the restarted one answers."
    );
#pragma warning restore CS1591

    /// <summary>The whole table, in the order of status.</summary>
    public static IReadOnlyList<ErrorCode> All { get; } =
    [
        InvalidJson,
        InvalidField,
        UnknownField,
        InvalidTopic,
        InvalidResource,
        InvalidPosition,
        TooManyTopics,
        NotSignedIn,
        InvalidCredentials,
        Forbidden,
        OriginRefused,
        NotFound,
        MethodNotAllowed,
        UserChanged,
        LeaseLost,
        IdempotencyKeyReused,
        Conflict,
        CheckpointExpired,
        VersionMismatch,
        TooLarge,
        UnsupportedMediaType,
        LeaseHeld,
        SchemaOutdated,
        TooManyRequests,
        TooManyConnections,
        QueueFull,
        LimitReached,
        Internal,
        IdentityUnavailable,
        StoreUnavailable,
        OutcomeUnknown,
        Draining,
    ];
}
