using System.Security.Cryptography;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>How a lease is acquired as a handle. Immutable, so that one instance serves many calls.</summary>
public sealed record LeaseSettings
{
    internal static readonly LeaseSettings Default = new();

    /// <summary>Who holds the lease. Default: <see cref="LeaseOwner.Process"/>.</summary>
    public LeaseOwner Owner { get; init; } = LeaseOwner.Process;

    /// <summary>Whether the handle renews the lease by itself, each time a third of its duration has passed, until it is released or lost.
    /// Default: false.</summary>
    public bool AutoRenew { get; init; }

    /// <summary>The secret of the holder; see <see cref="LeaseRequest.CheckId"/>. Repeating a call with the same id, after a lost answer,
    /// gives the same grant. Default: a new random id for each call.</summary>
    public string? LeaseId { get; init; }

    /// <summary>Who caused the change, for the events that announce it. Default: the server.</summary>
    public EventOrigin? Origin { get; init; }

    internal LeaseRequest RequestFor(ResourceName resource, LeaseDuration duration, bool wait) =>
        new(resource, LeaseId ?? NewId(), Owner, duration, wait);

    // 128 bits: cannot be guessed.
    private static string NewId() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}
