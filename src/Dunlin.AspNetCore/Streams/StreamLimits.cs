using Dunlin.Diagnostics;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary>Counts open streams by user, by address and in all, and refuses the newcomer where a bound is reached.</summary>
internal sealed class StreamLimits(IOptions<EventStreamOptions> options)
{
    private readonly Lock _gate = new(); // guards the counts
    private readonly Dictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private int _all;

    /// <summary>Streams that have a place, and how many users and addresses they come from.</summary>
    public (int All, int Users, int Addresses) Counts
    {
        get
        {
            lock (_gate)
                return (_all, _byUser.Count, _byAddress.Count);
        }
    }

    /// <summary>Takes a place; dispose the result to give it back.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyConnections"/>, naming the limit.</exception>
    public ConnectionSlot Enter(string userId, string address)
    {
        var limits = options.Value;
        lock (_gate)
        {
            Require(_all, limits.MaxInAll, "in all");
            Require(_byUser.GetValueOrDefault(userId), limits.MaxPerUser, "of one user");
            Require(_byAddress.GetValueOrDefault(address), limits.MaxPerAddress, "of one address");
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
        throw new DunlinException(ErrorCode.TooManyConnections, $"{limit} open streams {what} is the limit.")
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

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    internal readonly struct ConnectionSlot(StreamLimits limits, string userId, string address) : IDisposable
    {
        public void Dispose() => limits.Leave(userId, address);
    }
}
