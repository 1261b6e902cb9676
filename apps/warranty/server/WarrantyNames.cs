using System.Globalization;
using Dunlin.Apps.Warranty.Cases;
using Dunlin.Topics;

namespace Dunlin.Apps.Warranty;

/// <summary>
/// The topics and resources of this system. <c>warranty/{branch}</c> carries the events of a branch.
/// <c>warranty/{branch}/{case}/{field}</c> is the lock of one field. The branch is the first part, so that its locks can be listed and
/// announced without a query.
/// </summary>
internal static class WarrantyNames
{
    public const string Root = "warranty";

    public static TopicName Topic(long branchId) => TopicName.Parse(string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}"));

    public static ResourceName Lock(long branchId, long caseId, string field) =>
        ResourceName.Parse(string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}/{caseId}/{field}"));

    public static string LocksOf(long branchId) => string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}");

    public static string LocksOf(long branchId, long caseId) => string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}/{caseId}");

    /// <summary>Returns the parts of a lock's name; null if it is not the canonical name of a field lock.</summary>
    public static (long BranchId, long CaseId, string Field)? Parts(ResourceName resource)
    {
        var parts = resource.Value.Split('/');
        return parts.Length == 4 && Number(parts[1]) is { } branchId && Number(parts[2]) is { } caseId && CaseField.Exists(parts[3])
            ? (branchId, caseId, parts[3])
            : null;
    }

    /// <summary>Returns the branch of a topic or lock; null if the name does not belong to this system.</summary>
    public static long? BranchOf(string name)
    {
        var parts = name.Split('/');
        return parts.Length is 2 or 4 ? Number(parts[1]) : null;
    }

    // Accepts one notation per number: "01" and "1" would be two names of one resource.
    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && string.Equals(number.ToString(CultureInfo.InvariantCulture), text, StringComparison.Ordinal)
            ? number
            : null;
}
