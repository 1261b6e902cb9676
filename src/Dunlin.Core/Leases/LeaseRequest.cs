using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A request for a lease on behalf of a user.</summary>
/// <param name="Resource">What is asked for.</param>
/// <param name="LeaseId">The holder's secret, chosen by the holder: the same user with the same id is the holder. Repeating a request
/// with it, after a lost answer, gives the same grant.</param>
/// <param name="Owner">Who asks.</param>
/// <param name="Duration">How long the lease lasts; <c>default</c> for <see cref="LeaseOptions.DefaultDuration"/>.</param>
/// <param name="Wait">Join the queue where another holds it.</param>
public sealed record LeaseRequest(
    ResourceName Resource,
    string LeaseId,
    LeaseOwner Owner,
    LeaseDuration Duration = default,
    bool Wait = false
)
{
    /// <summary>The shortest lease id: enough that it cannot be guessed.</summary>
    public const int MinIdLength = 12;

    /// <summary>The longest lease id.</summary>
    public const int MaxIdLength = 64;

    /// <summary>Returns the owner of a caller's request.</summary>
    public static LeaseOwner OwnerOf(Caller caller) =>
        new(caller.UserId, caller.Name, caller.SessionId, caller.ConnectionId, caller.DeviceId);

    /// <summary>Throws unless the id has 12 to 64 characters of <c>[A-Za-z0-9._-]</c>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>.</exception>
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

/// <summary>The claim to hold a lease.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The holder's secret.</param>
/// <param name="UserId">The user who claims; from the credential.</param>
/// <param name="FencingToken">The token of the grant. Null accepts every grant of the lease id, which proves as much, because an id is
/// granted again only by asking for it.</param>
public sealed record LeaseClaim(ResourceName Resource, string LeaseId, string UserId, FencingToken? FencingToken = null);
