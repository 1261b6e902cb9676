using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A request for a lease.</summary>
/// <param name="Resource">What is asked for.</param>
/// <param name="LeaseId">Chosen by the holder and its secret: whoever knows it (and is the same user) is the holder. Repeating a
/// request with it, after a lost reply, gives the same grant.</param>
/// <param name="Owner">Who asks.</param>
/// <param name="Seconds">The duration.</param>
/// <param name="Wait">Join the queue where another holds it.</param>
public sealed record LeaseRequest(ResourceName Resource, string LeaseId, LeaseOwner Owner, int Seconds, bool Wait = false)
{
    /// <summary>The shortest lease id: enough that it cannot be guessed.</summary>
    public const int MinIdLength = 12;

    /// <summary>The longest lease id.</summary>
    public const int MaxIdLength = 64;

    /// <summary>The owner of a caller's request.</summary>
    public static LeaseOwner OwnerOf(Caller caller) =>
        new(caller.UserId, caller.Name, caller.SessionId, caller.ConnectionId, caller.DeviceId);

    /// <summary>Throws unless the id could be one: 12 to 64 characters of <c>[A-Za-z0-9._-]</c>.</summary>
    public static string CheckId(string? leaseId)
    {
        var valid =
            leaseId is { Length: >= MinIdLength and <= MaxIdLength }
            && leaseId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        return valid
            ? leaseId!
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease id has {MinIdLength} to {MaxIdLength} characters of [A-Za-z0-9._-].",
                "leaseId"
            );
    }
}

/// <summary>The claim of one who says that it holds a lease.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The holder's secret.</param>
/// <param name="UserId">The user who claims; from the credential.</param>
/// <param name="Fence">The fencing token of the grant; null where the lease id alone is known, which proves as much, since an id
/// is granted again only by asking for it.</param>
public sealed record LeaseClaim(ResourceName Resource, string LeaseId, string UserId, long? Fence = null);
