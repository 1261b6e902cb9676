namespace Dunlin.Accounts;

/// <summary>
/// What stands behind a single-use ticket, with which an <c>EventSource</c> that cannot send headers opens its stream.
/// </summary>
/// <param name="Hash">SHA-256 of the ticket, so that whoever reads the store opens nothing.</param>
/// <param name="UserId">Whom it admits.</param>
/// <param name="Name">The name shown to others.</param>
/// <param name="Roles">Roles of the user.</param>
/// <param name="SessionId">The session it was got with.</param>
/// <param name="ChecksSession">Whether that session is one of <see cref="ISessionStore"/> and must still be alive.</param>
/// <param name="ExpiresAt">When it is too late to use it.</param>
/// <param name="CredentialExpiresAt">When the credential ends with which it was got, and with it the stream.</param>
public sealed record TicketRow(
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
    /// <summary>What the credential allowed with which it was got, as the claim <c>dunlin</c> of a token; null for nothing.</summary>
    public string? Grants { get; init; }
}

/// <summary>
/// Tickets not yet used. Nodes that serve one site share a store, because a ticket got from one may be used at another.
/// Safe for concurrent use, and bounded.
/// </summary>
public interface ITicketStore
{
    /// <summary>Keeps a ticket until it is taken or expires.</summary>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.TooManyRequests"/>: this user, or all
    /// together, have too many unused ones.</exception>
    ValueTask AddAsync(TicketRow ticket, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes the ticket and returns it; null if there is none or it has expired. Of any number of concurrent
    /// calls at most one gets it.</summary>
    ValueTask<TicketRow?> TakeAsync(string hash, DateTimeOffset now, CancellationToken cancellationToken);
}
