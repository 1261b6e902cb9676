using Dunlin.Diagnostics;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary>Counts open streams per user, per address and in total, and refuses a new stream above a limit. Thread-safe.</summary>
internal sealed class StreamLimits(IOptions<EventStreamOptions> options)
{
    private readonly Lock _gate = new(); // guards the counts
    private readonly Dictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private int _all;

    /// <summary>Gets the number of open streams, and of the users and addresses they belong to.</summary>
    public (int All, int Users, int Addresses) Counts
    {
        get
        {
            lock (_gate)
                return (_all, _byUser.Count, _byAddress.Count);
        }
    }

    /// <summary>Counts a stream. Dispose the result before the client can see the end of the stream: it may open the next one at
    /// once.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyConnections"/>: a limit is reached. The error names it.</exception>
    public ConnectionSlot Enter(string userId, string address)
    {
        var limits = options.Value;
        lock (_gate)
        {
            Require(_all, limits.MaxInAll, "on this node");
            Require(_byUser.GetValueOrDefault(userId), limits.MaxPerUser, "for one user");
            Require(_byAddress.GetValueOrDefault(address), limits.MaxPerAddress, "from one address");
            _all++;
            _byUser[userId] = _byUser.GetValueOrDefault(userId) + 1;
            _byAddress[address] = _byAddress.GetValueOrDefault(address) + 1;
        }
        return new ConnectionSlot(this, userId, address);
    }

    private void Require(int count, int limit, string what)
    {
        if (count < limit)
            return;
        throw new DunlinException(ErrorCode.TooManyConnections, $"The limit is {limit} open streams {what}.")
        {
            RetryAfter = options.Value.RetryAfter,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };
    }

    private void Leave(string userId, string address)
    {
        lock (_gate)
        {
            _all--;
            Decrease(_byUser, userId);
            Decrease(_byAddress, address);
        }
    }

    private static void Decrease(Dictionary<string, int> counts, string key)
    {
        if (counts[key] == 1)
            counts.Remove(key);
        else
            counts[key]--;
    }

    /// <summary>The place of one stream in the limits. Disposal gives it back, and has no effect after the first time.</summary>
    internal sealed class ConnectionSlot(StreamLimits limits, string userId, string address) : IDisposable
    {
        private int _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0)
                limits.Leave(userId, address);
        }
    }
}
