using Dunlin.Accounts;
using Dunlin.Diagnostics;

namespace Dunlin.Security;

/// <summary>Keeps the tickets of one node in memory. Thread-safe.</summary>
internal sealed class InMemoryTicketStore : ITicketStore
{
    /// <summary>The maximum number of tickets that have not expired, used ones included. At about 300 bytes each, a flood of requests takes
    /// 3 MB at most.</summary>
    public const int MaxTickets = 10_000;

    /// <summary>The maximum number of unused tickets of one user: more than the tabs that a person opens within half a minute. The limit
    /// keeps one user from blocking all others.</summary>
    public const int MaxTicketsPerUser = 100;

    // _lock guards the three collections. The queue holds hashes in the order of expiry, including those of used tickets.
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
                throw new DunlinException(
                    ErrorCode.TooManyRequests,
                    "Too many unused tickets. Use the tickets you have, or wait until they expire."
                )
                {
                    RetryAfter = ticket.ExpiresAt - now,
                };
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
