namespace Dunlin.Client;

/// <summary>Specifies what failed. The kinds are those of the TypeScript client.</summary>
public enum ProblemKind
{
    /// <summary>The server could not be reached, or the connection broke. The outcome of a request is unknown.</summary>
    Network,

    /// <summary>The caller cancelled the request.</summary>
    Aborted,

    /// <summary>The server asks to repeat the request later: 408, 425, 429 or 5xx.</summary>
    Busy,

    /// <summary>The server lost its store during the commit: the request may have been carried out.</summary>
    OutcomeUnknown,

    /// <summary>The credential is missing, invalid or of another user.</summary>
    SignedOut,

    /// <summary>The caller has no permission.</summary>
    Forbidden,

    /// <summary>The resource does not exist.</summary>
    NotFound,

    /// <summary>The request has an invalid field, or a final limit is reached.</summary>
    Invalid,

    /// <summary>Another holder has the lease.</summary>
    Held,

    /// <summary>The lease is lost.</summary>
    Lost,

    /// <summary>The request conflicts with the current state.</summary>
    Conflict,

    /// <summary>Any other failure, such as an answer that is not of a Dunlin server.</summary>
    Unexpected,
}

/// <summary>Specifies what a caller should do after a failure.</summary>
public enum ProblemClass
{
    /// <summary>Send the same request again later.</summary>
    Retry,

    /// <summary>Read the current state, then continue.</summary>
    Resync,

    /// <summary>Change the request, or ask the user. The same request fails again.</summary>
    Stop,
}
