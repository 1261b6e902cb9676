using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Slows down password guessing from one address for all accounts on this node, as <see cref="SignInLockout"/> does for an
/// account. Thread-safe.</summary>
/// <remarks>
/// A successful attempt is subtracted again. It subtracts only itself, because an attacker may own an account too.
/// <para>
/// A <c>PartitionedRateLimiter</c> does not fit. It cannot return a permit after a successful sign-in, and its waits do not grow with the
/// number of failures. The number of its partitions has no bound against a flood from many IPv6 networks.
/// </para>
/// </remarks>
internal sealed class AddressThrottle(IOptions<AccountOptions> options, TimeProvider time)
{
    /// <summary>The maximum number of addresses in memory, which limits a flood to a few MB. The address with the oldest failure is removed
    /// first.</summary>
    public const int MaxEntries = 10_000;

    // _lock guards both collections.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byLastFailure = [];

    /// <summary>Counts an attempt and returns null, or returns how long the address must wait.</summary>
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

    /// <summary>Subtracts an attempt that succeeded.</summary>
    public void Succeeded(IPAddress? address) => TakeBack(Key(address), restoresTime: false);

    /// <summary>Subtracts an attempt that was refused before its password was checked, and restores the time of the attempt
    /// before.</summary>
    public void Refused(IPAddress? address) => TakeBack(Key(address), restoresTime: true);

    // One customer of a provider owns a whole /64 network of IPv6.
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
    /// <param name="Failures">The number of failures.</param>
    /// <param name="Last">The start time of the last failed attempt.</param>
    /// <param name="Before">The start time of the failed attempt before it.</param>
    private sealed record Entry(string Key, int Failures, DateTimeOffset Last, DateTimeOffset Before);
}
