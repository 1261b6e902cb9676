using Dunlin.Accounts;
using Dunlin.Diagnostics;

namespace Dunlin.Security;

/// <summary>Tickets of one node.</summary>
internal sealed class InMemoryTicketStore : ITicketStore
{
    /// <summary>All unused tickets; at about 300 bytes each this bounds what a flood of requests can take to 3 MB.</summary>
    public const int MaxTickets = 10_000;

    /// <summary>Of one user: more tabs than anybody opens within half a minute, so that one user cannot lock out the rest.</summary>
    public const int MaxTicketsPerUser = 100;

    // Guarded by _lock: all three. The queue holds hashes in the order of expiry, also of tickets already taken.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TicketRow> _tickets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _perUser = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _expiry = new();

    public ValueTask AddAsync(TicketRow ticket, DateTimeOffset now, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Forget(now);
            var ofUser = _perUser.GetValueOrDefault(ticket.UserId);
            if (_expiry.Count >= MaxTickets || ofUser >= MaxTicketsPerUser)
                throw new DunlinException(ErrorCode.TooManyRequests, "Too many unused tickets.") { RetryAfter = ticket.ExpiresAt - now };
            _tickets.Add(ticket.Hash, ticket);
            _perUser[ticket.UserId] = ofUser + 1;
            _expiry.Enqueue(ticket.Hash, ticket.ExpiresAt);
        }
        return default;
    }

    public ValueTask<TicketRow?> TakeAsync(string hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Forget(now);
            return new(Remove(hash));
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (_expiry.TryPeek(out var hash, out var end) && end <= now)
        {
            _expiry.Dequeue();
            Remove(hash);
        }
    }

    private TicketRow? Remove(string hash)
    {
        if (!_tickets.Remove(hash, out var ticket))
            return null;
        if (--_perUser[ticket.UserId] == 0)
            _perUser.Remove(ticket.UserId);
        return ticket;
    }
}
