using System.Security.Cryptography;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>The settings of a lease handle. Immutable and thread-safe.</summary>
public sealed record LeaseSettings
{
    internal static readonly LeaseSettings Default = new();

    /// <summary>Gets the holder. Default: <see cref="LeaseOwner.Process"/>.</summary>
    public LeaseOwner Owner { get; init; } = LeaseOwner.Process;

    /// <summary>
    /// Gets whether the handle renews the lease each time a third of its duration has elapsed, until it is released or lost. Default:
    /// false.
    /// </summary>
    public bool AutoRenew { get; init; }

    /// <summary>Gets the secret lease id; see <see cref="LeaseRequest.CheckId"/>. Default: a new random id for each call.</summary>
    /// <remarks>A repeat with the same id after a lost reply returns the same grant.</remarks>
    public string? LeaseId { get; init; }

    /// <summary>Gets the cause, for the events that announce changes. Default: null, the server.</summary>
    public EventOrigin? Origin { get; init; }

    internal LeaseRequest RequestFor(ResourceName resource, LeaseDuration duration, bool wait) =>
        new(resource, LeaseId ?? NewId(), Owner, duration, wait);

    // 128 random bits, so that the id cannot be guessed.
    private static string NewId() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}
