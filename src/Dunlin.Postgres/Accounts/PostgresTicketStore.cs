using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Postgres.Schema;

namespace Dunlin.Postgres.Accounts;

/// <summary>Tickets in the database: one got from one node may be used at another, once.</summary>
internal sealed class PostgresTicketStore(PostgresStore store) : ITicketStore
{
    /// <summary>All unused tickets: bounds what a flood of requests can put into the table.</summary>
    internal const int MaxTickets = 100_000;

    /// <summary>Of one user: more tabs than anybody opens within half a minute, so that one user cannot lock out the rest.</summary>
    internal const int MaxTicketsPerUser = 100;

    private static readonly SqlText Add = new("ticket_add");
    private static readonly SqlText Take = new("ticket_take");
    private static readonly SqlText ForgetExpired = new("ticket_forget_expired");

    public async ValueTask AddAsync(Ticket ticket, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var added = await store.QueryAsync(
            async (connection, ct) =>
            {
                await using var forget = connection.Command(ForgetExpired, Statements.Time(now));
                await forget.ExecuteNonQueryAsync(ct);
                await using var command = connection.Command(
                    Add,
                    Statements.Text(ticket.Hash),
                    Statements.Text(ticket.UserId),
                    Statements.Text(ticket.Name),
                    Statements.Text(JsonSerializer.Serialize(ticket.Roles, JsonSerializerOptions.Web)),
                    Statements.Text(ticket.SessionId),
                    Statements.Flag(ticket.ChecksSession),
                    Statements.Time(ticket.ExpiresAt),
                    Statements.Time(ticket.CredentialExpiresAt),
                    Statements.Number(MaxTicketsPerUser),
                    Statements.Number(MaxTickets),
                    Statements.Text(ticket.Grants));
                return await command.ExecuteNonQueryAsync(ct);
            },
            cancellationToken);
        if (added == 0)
            throw new DunlinException(ErrorCode.TooManyRequests, "Too many unused tickets.") { RetryAfter = ticket.ExpiresAt - now };
    }

    public ValueTask<Ticket?> TakeAsync(string hash, DateTimeOffset now, CancellationToken cancellationToken) => store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(Take, Statements.Text(hash), Statements.Time(now));
            await using var row = await command.ExecuteReaderAsync(ct);
            return await row.ReadAsync(ct)
                ? new Ticket(
                    hash, row.GetString(0), row.GetString(1), JsonSerializer.Deserialize<List<string>>(row.GetString(2), JsonSerializerOptions.Web)!,
                    row.TextOrNull(3), row.GetBoolean(4), row.Time(5), row.TimeOrNull(6))
                {
                    Grants = row.TextOrNull(7),
                }
                : null;
        },
        cancellationToken);
}
