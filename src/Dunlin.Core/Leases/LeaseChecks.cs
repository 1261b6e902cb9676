using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>What every request about a lease is checked for, whichever way it comes in.</summary>
internal static class LeaseChecks
{
    /// <summary>The longest reason of a take, in characters.</summary>
    public const int MaxReasonLength = 200;

    public static void Check(LeaseRequest request, LeaseOptions options)
    {
        CheckResource(request.Resource);
        LeaseRequest.CheckId(request.LeaseId);
        CheckUser(request.Owner.UserId, "owner.userId");
        CheckSeconds(request.Seconds, options);
    }

    public static void Check(LeaseClaim claim)
    {
        CheckResource(claim.Resource);
        LeaseRequest.CheckId(claim.LeaseId);
        CheckUser(claim.UserId, "userId");
        if (claim.Fence < 0)
            throw new DunlinException(ErrorCode.InvalidField, $"A fencing token is a positive number, not {claim.Fence}.", "fence");
    }

    public static void CheckSeconds(int seconds, LeaseOptions options)
    {
        if (seconds < 1 || seconds > options.MaxSeconds)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease lasts 1 to {options.MaxSeconds} seconds, not {seconds}.",
                "seconds"
            );
    }

    public static void CheckTake(string reason, int graceSeconds, LeaseOptions options)
    {
        if (reason is not { Length: >= 1 and <= MaxReasonLength })
            throw new DunlinException(ErrorCode.InvalidField, $"A reason has 1 to {MaxReasonLength} characters.", "reason");
        if (graceSeconds < 0 || graceSeconds > options.MaxTakeGraceSeconds)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A grace is 0 to {options.MaxTakeGraceSeconds} seconds, not {graceSeconds}.",
                "graceSeconds"
            );
    }

    /// <summary>The default value of the type is no name.</summary>
    public static void CheckResource(ResourceName resource)
    {
        if (resource.Value.Length == 0)
            ResourceName.Parse(resource.Value);
    }

    private static void CheckUser(string? userId, string field)
    {
        if (string.IsNullOrEmpty(userId))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' is missing.", field);
    }
}
