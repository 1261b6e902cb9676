using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>
/// Slows down guessing. Each attempt counts as a failure when it begins, so that a hundred at once are not all let
/// through before the first has failed; a success takes it back. After the allowed number, an attempt must come a wait
/// after the last one, and the wait doubles: 1, 2, 4 s and so on. A refused attempt checks no password and counts for
/// nothing. Accounts that do not exist count alike.
/// </summary>
internal sealed class SignInThrottle(IOptions<AccountOptions> options, TimeProvider time)
{
    /// <summary>Names and addresses remembered, each; the one longest without a failure gives way. Bounds a flood to a few MB.</summary>
    public const int MaxEntries = 10_000;

    // Guarded by _lock: all below.
    private readonly Lock _lock = new();
    private readonly Ledger _accounts = new();
    private readonly Ledger _addresses = new();

    /// <summary>Begins an attempt: null if it may go on, else how long to wait.</summary>
    public TimeSpan? Begin(string username, IPAddress? address)
    {
        var value = options.Value;
        var now = time.GetUtcNow();
        var account = AccountKey(username);
        var place = AddressKey(address);
        lock (_lock)
        {
            var wait = Longer(_accounts.Wait(account, value.FailuresPerAccount, value, now), _addresses.Wait(place, value.FailuresPerAddress, value, now));
            if (wait is not null)
                return wait;
            _accounts.Count(account, value, now);
            _addresses.Count(place, value, now);
            return null;
        }
    }

    /// <summary>The attempt succeeded: the account starts afresh; the address gets back this one only, since its guesser may own an account too.</summary>
    public void Succeeded(string username, IPAddress? address)
    {
        lock (_lock)
        {
            _accounts.Forget(AccountKey(username));
            _addresses.TakeBack(AddressKey(address));
        }
    }

    private static string AccountKey(string username) => username.ToUpperInvariant();

    // One customer of a provider has a whole /64 of IPv6 to choose from.
    private static string AddressKey(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }

    private static TimeSpan? Longer(TimeSpan? a, TimeSpan? b) => a is null || b > a ? b : a;

    private sealed class Ledger
    {
        private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
        private readonly LinkedList<Entry> _byLastFailure = [];

        public TimeSpan? Wait(string key, int allowed, AccountOptions options, DateTimeOffset now)
        {
            if (allowed == 0 || !_entries.TryGetValue(key, out var node) || node.Value.Last + options.FailureMemory <= now || node.Value.Failures < allowed)
                return null;
            var doublings = Math.Min(node.Value.Failures - allowed, 20);
            var wait = TimeSpan.FromSeconds(Math.Min(1L << doublings, options.MaxWait.TotalSeconds));
            var until = node.Value.Last + wait;
            return until > now ? until - now : null;
        }

        public void Count(string key, AccountOptions options, DateTimeOffset now)
        {
            var failures = 0;
            if (_entries.Remove(key, out var node))
            {
                failures = node.Value.Last + options.FailureMemory > now ? node.Value.Failures : 0;
                _byLastFailure.Remove(node);
            }
            _entries[key] = _byLastFailure.AddLast(new Entry(key, failures + 1, now));
            while (_byLastFailure.First is { } oldest && (_entries.Count > MaxEntries || oldest.Value.Last + options.FailureMemory <= now))
                Forget(oldest.Value.Key);
        }

        public void TakeBack(string key)
        {
            if (!_entries.TryGetValue(key, out var node))
                return;
            if (node.Value.Failures > 1)
                node.Value = node.Value with { Failures = node.Value.Failures - 1 };
            else
                Forget(key);
        }

        public void Forget(string key)
        {
            if (_entries.Remove(key, out var node))
                _byLastFailure.Remove(node);
        }

        private sealed record Entry(string Key, int Failures, DateTimeOffset Last);
    }
}
