using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Accounts;

/// <summary>Tickets in a database that several nodes share: a ticket of one node is used at another, once. Safe for concurrent
/// use.</summary>
internal sealed class TicketStore(RelationalStore store) : ITicketStore
{
    /// <summary>All unused tickets: bounds what a flood of requests can put into the table.</summary>
    internal const int MaxTickets = 100_000;

    /// <summary>Unused tickets of one user: more tabs than anybody opens within half a minute, so that one user cannot lock out the
    /// rest.</summary>
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
                    .Text(JsonSerializer.Serialize(ticket.Roles, JsonSerializerOptions.Web))
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
            throw new DunlinException(ErrorCode.TooManyRequests, "Too many unused tickets.") { RetryAfter = ticket.ExpiresAt - now };
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
            JsonSerializer.Deserialize<List<string>>(row.Text(2), JsonSerializerOptions.Web)!,
            row.TextOrNull(3),
            row.Flag(4),
            row.Time(5),
            row.TimeOrNull(6)
        )
        {
            Grants = row.TextOrNull(7),
        };
}
