namespace Dunlin.Accounts;

/// <summary>A single-use ticket, with which an <c>EventSource</c> that cannot send headers opens its stream. Immutable.</summary>
/// <param name="Hash">The SHA-256 of the ticket, so that a copy of the store opens no stream.</param>
/// <param name="UserId">The user.</param>
/// <param name="Name">The display name.</param>
/// <param name="Roles">The roles of the user.</param>
/// <param name="SessionId">The session in which the ticket was issued; null if there is none.</param>
/// <param name="ChecksSession">Whether the session is in <see cref="ISessionStore"/> and must still be valid.</param>
/// <param name="ExpiresAt">The expiry of the ticket (UTC).</param>
/// <param name="CredentialExpiresAt">The expiry of the credential for which the ticket was issued, and thus of the stream (UTC); null if it
/// does not expire.</param>
internal sealed record TicketRow(
    string Hash,
    string UserId,
    string Name,
    IReadOnlyList<string> Roles,
    string? SessionId,
    bool ChecksSession,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? CredentialExpiresAt
)
{
    /// <summary>
    /// Gets the grants of the credential for which the ticket was issued, as the claim <c>dunlin</c> of a token; null for none.
    /// </summary>
    public string? Grants { get; init; }
}

/// <summary>
/// Stores unused tickets. Thread-safe and bounded. Nodes of one site share it: a ticket of one node may be used at another.
/// </summary>
internal interface ITicketStore
{
    /// <summary>Adds a ticket, which stays until it is taken or expires.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="now">The current time (UTC).</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.TooManyRequests"/>: there are too
    /// many unused tickets, of this user or in total.</exception>
    ValueTask AddAsync(TicketRow ticket, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes and returns a ticket. At most one of several concurrent calls gets it.</summary>
    /// <param name="hash">The SHA-256 of the ticket.</param>
    /// <param name="now">The current time (UTC).</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The ticket; null if there is none or it has expired.</returns>
    ValueTask<TicketRow?> TakeAsync(string hash, DateTimeOffset now, CancellationToken cancellationToken);
}
