using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A request for a lease on behalf of a user.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The secret id that the requester chooses. The same user with the same id is the holder, so a repeat after a lost
/// reply returns the same grant.</param>
/// <param name="Owner">The requester.</param>
/// <param name="Duration">The duration; <c>default</c> uses <see cref="LeaseOptions.DefaultDuration"/>.</param>
/// <param name="Wait">Whether to join the queue if another owner holds the lease. Default: false.</param>
public sealed record LeaseRequest(
    ResourceName Resource,
    string LeaseId,
    LeaseOwner Owner,
    LeaseDuration Duration = default,
    bool Wait = false
)
{
    /// <summary>The minimum length of a lease id in characters: 12, so that it cannot be guessed.</summary>
    public const int MinIdLength = 12;

    /// <summary>The maximum length of a lease id in characters: 64.</summary>
    public const int MaxIdLength = 64;

    /// <summary>Returns the owner for a request of a caller.</summary>
    /// <param name="caller">The caller.</param>
    public static LeaseOwner OwnerOf(Caller caller) =>
        new(caller.UserId, caller.Name, caller.SessionId, caller.ConnectionId, caller.DeviceId);

    /// <summary>Validates a lease id: 12 to 64 characters of <c>[A-Za-z0-9._-]</c>.</summary>
    /// <param name="leaseId">The lease id.</param>
    /// <returns>The lease id.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the lease id is not valid.</exception>
    public static string CheckId(string? leaseId)
    {
        var valid =
            leaseId is { Length: >= MinIdLength and <= MaxIdLength }
            && leaseId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        return valid
            ? leaseId!
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease id must have {MinIdLength} to {MaxIdLength} characters of [A-Za-z0-9._-].",
                "leaseId"
            );
    }
}

/// <summary>A claim to hold a lease.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The secret lease id of the holder.</param>
/// <param name="UserId">The claiming user. Take it from the credential, not from a parameter.</param>
/// <param name="FencingToken">The fencing token of the grant. Null accepts every grant of the lease id, which is equally safe: an id is
/// granted again only on request.</param>
public sealed record LeaseClaim(ResourceName Resource, string LeaseId, string UserId, FencingToken? FencingToken = null);
