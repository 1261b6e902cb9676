namespace Dunlin.Diagnostics;

/// <summary>How a client should handle an error.</summary>
public enum ErrorClass
{
    /// <summary>Retry the same request later.</summary>
    Retry,

    /// <summary>The client's state is out of date: load it again, then continue.</summary>
    Resync,

    /// <summary>The same request will fail again: change it, or ask the user.</summary>
    Stop,
}

/// <summary>An error code of the wire protocol, with its HTTP status, class and hint. Immutable.</summary>
/// <remarks><see cref="All"/> is the table of all codes. Problem documents (RFC 9457) and the error reference come from it.</remarks>
/// <param name="Code">The stable code in snake_case.</param>
/// <param name="Status">The HTTP status (RFC 9110). Used by the HTTP layer only.</param>
/// <param name="Class">How a client should handle the error.</param>
/// <param name="Title">A short sentence that describes the error.</param>
/// <param name="Hint">What the client or user should do.</param>
public sealed record ErrorCode(string Code, int Status, ErrorClass Class, string Title, string Hint)
{
    /// <summary>
    /// The address of the page with a section for this code, without a fragment, for codes that an application defines. Default:
    /// null, the page that the options of the HTTP layer name.
    /// </summary>
    public string? Page { get; init; }

    /// <summary>The body is not valid JSON (HTTP 400).</summary>
    public static readonly ErrorCode InvalidJson = new(
        "invalid_json",
        400,
        ErrorClass.Stop,
        "The body is not valid JSON.",
        "Send one JSON value in UTF-8 with Content-Type: application/json; 'detail' names the place of the error."
    );

    /// <summary>A field has an invalid value (HTTP 400).</summary>
    public static readonly ErrorCode InvalidField = new(
        "invalid_field",
        400,
        ErrorClass.Stop,
        "A field has an invalid value.",
        "Correct the field that 'field' names."
    );

    /// <summary>A field is unknown (HTTP 400).</summary>
    public static readonly ErrorCode UnknownField = new(
        "unknown_field",
        400,
        ErrorClass.Stop,
        "The request has an unknown field.",
        "Remove or rename the field that 'field' names."
    );

    /// <summary>A topic name is not valid (HTTP 400).</summary>
    public static readonly ErrorCode InvalidTopic = new(
        "invalid_topic",
        400,
        ErrorClass.Stop,
        "A topic name or pattern is invalid.",
        "Use 1 to 200 characters: segments of letters, digits and -._~:@|+=!$%, joined by '/'."
    );

    /// <summary>A resource name is not valid (HTTP 400).</summary>
    public static readonly ErrorCode InvalidResource = new(
        "invalid_resource",
        400,
        ErrorClass.Stop,
        "A resource name is invalid.",
        "Use 1 to 200 characters: segments of letters, digits and -._~:@|+=!$%, joined by '/'."
    );

    /// <summary>A position is not valid (HTTP 400).</summary>
    public static readonly ErrorCode InvalidPosition = new(
        "invalid_position",
        400,
        ErrorClass.Resync,
        "A stream position is invalid.",
        "Use a position that this server sent, or omit it to start with new events."
    );

    /// <summary>A stream has too many topics (HTTP 400).</summary>
    public static readonly ErrorCode TooManyTopics = new(
        "too_many_topics",
        400,
        ErrorClass.Stop,
        "The stream has too many topics.",
        "Subscribe to fewer topics, use a pattern, or open a second stream."
    );

    /// <summary>The caller is not signed in (HTTP 401).</summary>
    public static readonly ErrorCode NotSignedIn = new(
        "not_signed_in",
        401,
        ErrorClass.Stop,
        "You are not signed in.",
        "Sign in, then send a bearer token, the session cookie or a new ticket."
    );

    /// <summary>The user name or the password is wrong (HTTP 401).</summary>
    public static readonly ErrorCode InvalidCredentials = new(
        "invalid_credentials",
        401,
        ErrorClass.Stop,
        "The user name or the password is wrong.",
        "Check the user name and the password, then sign in again."
    );

    /// <summary>The signature of a webhook is missing or not valid (HTTP 401).</summary>
    public static readonly ErrorCode InvalidSignature = new(
        "invalid_signature",
        401,
        ErrorClass.Stop,
        "The signature of the webhook is missing or not valid.",
        "Sign the unchanged body with the secret of the hook, at the current time."
    );

    /// <summary>The caller has no permission (HTTP 403).</summary>
    public static readonly ErrorCode Forbidden = new(
        "forbidden",
        403,
        ErrorClass.Stop,
        "You do not have permission for this request.",
        "Ask for access, or sign in as another user."
    );

    /// <summary>The origin may not write with the session cookie (HTTP 403).</summary>
    public static readonly ErrorCode OriginRefused = new(
        "origin_refused",
        403,
        ErrorClass.Stop,
        "Pages of this origin may not use the session cookie.",
        "Call from the server's own origin, add the origin to OriginOptions.AllowedOrigins, or send a bearer token."
    );

    /// <summary>The requested object does not exist (HTTP 404).</summary>
    public static readonly ErrorCode NotFound = new(
        "not_found",
        404,
        ErrorClass.Stop,
        "The resource was not found.",
        "Check the id and the address; the resource may have been deleted."
    );

    /// <summary>The address does not support the method (HTTP 405).</summary>
    public static readonly ErrorCode MethodNotAllowed = new(
        "method_not_allowed",
        405,
        ErrorClass.Stop,
        "The endpoint does not support this method.",
        "Use a method that the Allow header lists."
    );

    /// <summary>Another user is signed in now (HTTP 409).</summary>
    public static readonly ErrorCode UserChanged = new(
        "user_changed",
        409,
        ErrorClass.Stop,
        "Another user is signed in now.",
        "Reload the page: it acts for a user who is signed out. The request was not carried out."
    );

    /// <summary>The caller no longer holds the lease (HTTP 409).</summary>
    public static readonly ErrorCode LeaseLost = new(
        "lease_lost",
        409,
        ErrorClass.Resync,
        "You no longer hold the lease.",
        "Keep the changes as a draft, read the current state and acquire the lease again."
    );

    /// <summary>The idempotency key was used for another request (HTTP 409).</summary>
    public static readonly ErrorCode IdempotencyKeyReused = new(
        "idempotency_key_reused",
        409,
        ErrorClass.Stop,
        "The idempotency key belongs to another request.",
        "Use a new key for each new request."
    );

    /// <summary>The request conflicts with the current state (HTTP 409).</summary>
    public static readonly ErrorCode Conflict = new(
        "conflict",
        409,
        ErrorClass.Resync,
        "The request conflicts with the current state.",
        "Read the current state, then decide again."
    );

    /// <summary>The changes since the checkpoint are no longer stored (HTTP 410).</summary>
    public static readonly ErrorCode CheckpointExpired = new(
        "checkpoint_expired",
        410,
        ErrorClass.Resync,
        "The checkpoint has expired.",
        "Pull again without a position, and delete local records that the server does not send."
    );

    /// <summary>The object has changed since the caller read it (HTTP 412, RFC 9110 If-Match).</summary>
    public static readonly ErrorCode VersionMismatch = new(
        "version_mismatch",
        412,
        ErrorClass.Resync,
        "The resource has changed since you read it.",
        "Read it again and repeat the change with the new version."
    );

    /// <summary>The request is too large (HTTP 413).</summary>
    public static readonly ErrorCode TooLarge = new(
        "too_large",
        413,
        ErrorClass.Stop,
        "The request is too large.",
        "Send less; 'limit' gives the largest size or number."
    );

    /// <summary>The content type is not supported (HTTP 415).</summary>
    public static readonly ErrorCode UnsupportedMediaType = new(
        "unsupported_media_type",
        415,
        ErrorClass.Stop,
        "The content type or encoding is not supported.",
        "Send the body uncompressed, with the content type that the endpoint documents."
    );

    /// <summary>Another owner holds the lease (HTTP 423).</summary>
    public static readonly ErrorCode LeaseHeld = new(
        "lease_held",
        423,
        ErrorClass.Retry,
        "The lease is held by another holder.",
        "Wait until the lease is released or expires; see 'holder' and 'expiresAt'."
    );

    /// <summary>The page is older than the server (HTTP 426).</summary>
    public static readonly ErrorCode SchemaOutdated = new(
        "schema_outdated",
        426,
        ErrorClass.Stop,
        "The page is older than the server.",
        "Reload the page; unsent changes are kept and migrated."
    );

    /// <summary>The WebSocket cannot be opened: another version, or no <c>Upgrade</c> (HTTP 426).</summary>
    public static readonly ErrorCode UpgradeRequired = new(
        "upgrade_required",
        426,
        ErrorClass.Stop,
        "The WebSocket cannot be opened.",
        "Let proxies pass Upgrade and Connection on, use version 13, or read the stream without a WebSocket."
    );

    /// <summary>The caller sends too many requests (HTTP 429).</summary>
    public static readonly ErrorCode TooManyRequests = new(
        "too_many_requests",
        429,
        ErrorClass.Retry,
        "Too many requests.",
        "Wait for the time in Retry-After, then repeat the request."
    );

    /// <summary>The caller has too many open streams (HTTP 429).</summary>
    public static readonly ErrorCode TooManyConnections = new(
        "too_many_connections",
        429,
        ErrorClass.Retry,
        "Too many open streams.",
        "Close a stream that you do not need, or wait for the time in Retry-After."
    );

    /// <summary>The queue of the lease is full (HTTP 429).</summary>
    public static readonly ErrorCode QueueFull = new(
        "queue_full",
        429,
        ErrorClass.Retry,
        "The queue of the lease is full.",
        "Try again later; 'limit' gives the number of places."
    );

    /// <summary>A limit on stored data is reached (HTTP 429).</summary>
    public static readonly ErrorCode LimitReached = new(
        "limit_reached",
        429,
        ErrorClass.Stop,
        "A limit is reached.",
        "Delete what you no longer need, or ask the operator for a higher limit; 'limit' gives the number."
    );

    /// <summary>The server failed (HTTP 500).</summary>
    public static readonly ErrorCode Internal = new(
        "internal",
        500,
        ErrorClass.Retry,
        "The server failed.",
        "Try again. If it repeats, report 'traceId' to the operator."
    );

    /// <summary>The identity provider does not respond (HTTP 503).</summary>
    public static readonly ErrorCode IdentityUnavailable = new(
        "identity_unavailable",
        503,
        ErrorClass.Retry,
        "The identity provider does not answer.",
        "Try again; you stay signed in. If it repeats, tell the operator."
    );

    /// <summary>The store is not available. Nothing of the request was stored (HTTP 503).</summary>
    public static readonly ErrorCode StoreUnavailable = new(
        "store_unavailable",
        503,
        ErrorClass.Retry,
        "The store is unavailable.",
        "Try again; nothing of this request was stored."
    );

    /// <summary>It is unknown whether the request was executed (HTTP 503).</summary>
    public static readonly ErrorCode OutcomeUnknown = new(
        "outcome_unknown",
        503,
        ErrorClass.Resync,
        "The outcome of the request is unknown.",
        "Repeat the request with the same idempotency key, or read the current state before you repeat it."
    );

    /// <summary>The server is shutting down (HTTP 503).</summary>
    public static readonly ErrorCode Draining = new(
        "draining",
        503,
        ErrorClass.Retry,
        "The server is shutting down.",
        "Connect again; another node or the restarted server answers."
    );

    /// <summary>Gets all error codes, ordered by status.</summary>
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
        InvalidSignature,
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
        UpgradeRequired,
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
