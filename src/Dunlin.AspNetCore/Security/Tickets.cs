using Dunlin.Accounts;
using Dunlin.Topics;

namespace Dunlin.Security;

/// <summary>Gives and takes tickets: one use, half a minute.</summary>
internal sealed class Tickets(ITicketStore store, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    public async ValueTask<string> IssueAsync(Caller caller, CancellationToken cancellationToken)
    {
        var ticket = Secret.Make();
        var now = time.GetUtcNow();
        await store.AddAsync(
            new TicketRow(
                Secret.Hash(ticket),
                caller.UserId,
                caller.Name,
                [.. caller.Roles],
                caller.SessionId,
                caller.Principal.Identity?.AuthenticationType == DunlinAuthentication.Scheme,
                now + Lifetime,
                caller.ExpiresAt
            )
            {
                Grants = caller.Grants == Grants.None ? null : caller.Grants.ToJson(),
            },
            now,
            cancellationToken
        );
        return ticket;
    }

    public async ValueTask<TicketRow?> TakeAsync(string text, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return
            Secret.LooksRight(text)
            && await store.TakeAsync(Secret.Hash(text), now, cancellationToken) is { } ticket
            && (ticket.CredentialExpiresAt is not { } end || end > now)
            ? ticket
            : null;
    }
}
