namespace Dunlin.Client;

/// <summary>Specifies the state of a subscription's connection. The names are those of the TypeScript client.</summary>
public enum ConnectionStatus
{
    /// <summary>No stream is open. <see cref="ConnectionState.Problem"/> says whether the server refused it.</summary>
    Closed,

    /// <summary>A stream is being opened.</summary>
    Connecting,

    /// <summary>The stream is open, and its hello has arrived.</summary>
    Live,

    /// <summary>The next attempt starts after <see cref="ConnectionState.Delay"/>.</summary>
    Waiting,

    /// <summary>The session has ended. The subscription stops.</summary>
    SignedOut,
}

/// <summary>Specifies why a subscription is signed out.</summary>
public enum SignedOutReason
{
    /// <summary>The server refused the credential.</summary>
    Unauthorized,

    /// <summary>The user signed out.</summary>
    SignedOut,

    /// <summary>The access was revoked.</summary>
    Revoked,
}

/// <summary>Describes the connection of a subscription. Immutable.</summary>
/// <remarks>
/// <code>
///           start                hello of 200
/// Closed ----------> Connecting ---------------> Live
///   ^  400 403 404    |      ^ delay is over      |
///   +-----------------+      +---- Waiting &lt;------+ end, error, silence, goodbye
///   | 401 after renewal
///   v
/// SignedOut &lt;--- goodbye: signedOut, revoked
/// </code>
/// The state <c>offline</c> and the page signals of the TypeScript client exist in browsers only.
/// </remarks>
public sealed record ConnectionState
{
    internal static readonly ConnectionState Initial = new();

    /// <summary>Gets the status.</summary>
    public ConnectionStatus Status { get; init; }

    /// <summary>Gets the number of streams opened so far.</summary>
    public int Stream { get; init; }

    /// <summary>Gets the number of failed attempts since the connection was last steady.</summary>
    public int Attempt { get; init; }

    /// <summary>Gets the server's id of the open stream. Null unless the connection is live.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>Gets the delay before the next attempt, of the status <see cref="ConnectionStatus.Waiting"/>.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Gets whether the server set the delay.</summary>
    public bool IsServerMandated { get; init; }

    /// <summary>Gets why the connection waits or is closed. Null after a goodbye, and if the application closed it.</summary>
    public ClientProblem? Problem { get; init; }

    /// <summary>Gets why the session ended. Null unless it has.</summary>
    public SignedOutReason? SignedOutReason { get; init; }

    // Whether the next attempt renews the token first.
    internal bool Renews { get; init; }
}
