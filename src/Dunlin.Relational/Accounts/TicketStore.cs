using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Accounts;

/// <summary>Stores tickets in a database that several nodes share: one node issues a ticket, another node redeems it, once.
/// Thread-safe.</summary>
internal sealed class TicketStore(RelationalStore store) : ITicketStore
{
    /// <summary>The maximum number of unused tickets. It limits what a flood of requests can write to the table.</summary>
    internal const int MaxTickets = 100_000;

    /// <summary>The maximum number of unused tickets of one user: more than the tabs that a person opens within half a minute. The limit
    /// keeps one user from blocking all others.</summary>
    internal const int MaxTicketsPerUser = 100;

    public async ValueTask AddAsync(TicketRow ticket, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var added = await store.ChangeAsync(
            async (session, ct) =>
            {
                await session.Call("ticket_forget_expired").Time(now).RunAsync(ct);
                return await session
                    .Call("ticket_add")
                    .Text(ticket.Hash)
                    .Text(ticket.UserId)
                    .Text(ticket.Name)
                    .Text(JsonSerializer.Serialize(ticket.Roles, RelationalJson.Default.IReadOnlyListString))
                    .Text(ticket.SessionId)
                    .Flag(ticket.ChecksSession)
                    .Time(ticket.ExpiresAt)
                    .Time(ticket.CredentialExpiresAt)
                    .Number(MaxTicketsPerUser)
                    .Number(MaxTickets)
                    .Text(ticket.Grants)
                    .RunAsync(ct);
            },
            cancellationToken
        );
        if (added == 0)
            throw new DunlinException(
                ErrorCode.TooManyRequests,
                "Too many unused tickets. Use the tickets you have, or wait until they expire."
            )
            {
                RetryAfter = ticket.ExpiresAt - now,
            };
    }

    public ValueTask<TicketRow?> TakeAsync(string hash, DateTimeOffset now, CancellationToken cancellationToken) =>
        store.ChangeAsync(
            (session, ct) => session.Call("ticket_take").Text(hash).Time(now).FindAsync(row => Read(hash, row), ct),
            cancellationToken
        );

    private static TicketRow Read(string hash, ISqlRow row) =>
        new(
            hash,
            row.Text(0),
            row.Text(1),
            JsonSerializer.Deserialize(row.Text(2), RelationalJson.Default.IReadOnlyListString)!,
            row.TextOrNull(3),
            row.Flag(4),
            row.Time(5),
            row.TimeOrNull(6)
        )
        {
            Grants = row.TextOrNull(7),
        };
}
