using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>
/// Slows down guessing from one address over all accounts, on this node: as <see cref="SignInLockout"/> does for an account. A success
/// is given back; the guesser may own an account too, so it gives back itself only. Safe for concurrent use.
/// <para>
/// Not a <c>PartitionedRateLimiter</c>: its limiters cannot take a permit back when a sign-in turns out to be right, its waits do not
/// grow with the failures, and its partitions are not bounded in number, which a flood over IPv6 networks would use.
/// </para>
/// </summary>
internal sealed class AddressThrottle(IOptions<AccountOptions> options, TimeProvider time)
{
    /// <summary>Addresses remembered; the one longest without a failure gives way. Bounds a flood to a few MB.</summary>
    public const int MaxEntries = 10_000;

    // Guarded by _lock: both below.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byLastFailure = [];

    /// <summary>Begins an attempt: null if it may go on, else how long to wait.</summary>
    public TimeSpan? Begin(IPAddress? address)
    {
        var (value, now, key) = (options.Value, time.GetUtcNow(), Key(address));
        lock (_lock)
        {
            if (Wait(key, value, now) is { } wait)
                return wait;
            Count(key, value, now);
            return null;
        }
    }

    /// <summary>The attempt succeeded.</summary>
    public void Succeeded(IPAddress? address) => TakeBack(Key(address), restoresTime: false);

    /// <summary>The attempt was refused before a password was checked: as if it had not been made.</summary>
    public void Refused(IPAddress? address) => TakeBack(Key(address), restoresTime: true);

    // One customer of a provider has a whole /64 of IPv6 to choose from.
    private static string Key(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private TimeSpan? Wait(string key, AccountOptions value, DateTimeOffset now)
    {
        var allowed = value.FailuresPerAddress;
        if (
            allowed == 0
            || !_entries.TryGetValue(key, out var node)
            || node.Value.Last + value.FailureMemory <= now
            || node.Value.Failures < allowed
        )
            return null;
        var until = node.Value.Last + SignInWait.After(node.Value.Failures - allowed, value.MaxWait);
        return until > now ? until - now : null;
    }

    private void Count(string key, AccountOptions value, DateTimeOffset now)
    {
        var (failures, before) = (0, DateTimeOffset.MinValue);
        if (_entries.Remove(key, out var node))
        {
            if (node.Value.Last + value.FailureMemory > now)
                (failures, before) = (node.Value.Failures, node.Value.Last);
            _byLastFailure.Remove(node);
        }
        _entries[key] = _byLastFailure.AddLast(new Entry(key, failures + 1, now, before));
        while (_byLastFailure.First is { } oldest && (_entries.Count > MaxEntries || oldest.Value.Last + value.FailureMemory <= now))
            Forget(oldest);
    }

    private void TakeBack(string key, bool restoresTime)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node))
                return;
            var entry = node.Value;
            if (entry.Failures > 1)
                node.Value = entry with { Failures = entry.Failures - 1, Last = restoresTime ? entry.Before : entry.Last };
            else
                Forget(node);
        }
    }

    private void Forget(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byLastFailure.Remove(node);
    }

    /// <param name="Key">The address or network.</param>
    /// <param name="Failures">How many.</param>
    /// <param name="Last">When the last one began.</param>
    /// <param name="Before">When the one before it began.</param>
    private sealed record Entry(string Key, int Failures, DateTimeOffset Last, DateTimeOffset Before);
}
