using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Validates all requests about leases, inside and outside units of work.</summary>
internal static class LeaseChecks
{
    /// <summary>The maximum length of a preemption reason in characters.</summary>
    public const int MaxReasonLength = 200;

    public static void Check(LeaseRequest request, LeaseOptions options)
    {
        CheckResource(request.Resource);
        LeaseRequest.CheckId(request.LeaseId);
        CheckUser(request.Owner.UserId, "owner.userId");
        _ = SecondsOf(request.Duration, options);
    }

    public static void Check(LeaseClaim claim)
    {
        CheckResource(claim.Resource);
        LeaseRequest.CheckId(claim.LeaseId);
        CheckUser(claim.UserId, "userId");
        if (claim.FencingToken is { Number: < 0 } token)
            throw new DunlinException(ErrorCode.InvalidField, $"A fencing token must be a positive number, not {token}.", "fence");
    }

    /// <summary>Returns the duration in whole seconds, rounded up.</summary>
    public static int SecondsOf(LeaseDuration duration, LeaseOptions options)
    {
        var value = duration.IsDefault ? options.DefaultDuration : duration.Value;
        var seconds = (int)Math.Ceiling(value.TotalSeconds);
        return value <= options.MaxDuration
            ? seconds
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease must last 1 to {options.MaxDuration.TotalSeconds} seconds, not {seconds}.",
                "seconds"
            );
    }

    public static void CheckPreemption(string reason, TimeSpan grace, LeaseOptions options)
    {
        if (reason is not { Length: >= 1 and <= MaxReasonLength })
            throw new DunlinException(ErrorCode.InvalidField, $"'reason' must have 1 to {MaxReasonLength} characters.", "reason");
        if (grace < TimeSpan.Zero || grace > options.MaxPreemptionGrace)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The preemption grace must be 0 to {options.MaxPreemptionGrace.TotalSeconds} seconds, not {grace.TotalSeconds}.",
                "graceSeconds"
            );
    }

    /// <summary>Rejects the default value, which is not a valid name.</summary>
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
