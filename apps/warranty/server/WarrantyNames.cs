using System.Globalization;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Apps.Warranty;

/// <summary>Topics and resources of this system: <c>warranty/{branch}</c> tells of a branch, <c>warranty/{branch}/{case}/{field}</c>
/// is the lock of one field. The branch stands first, so that its locks can be listed and announced without a look-up.</summary>
internal static class WarrantyNames
{
    public const string Root = "warranty";

    public static TopicName Topic(long branchId) => TopicName.Parse(string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}"));

    public static ResourceName Lock(long branchId, long caseId, string field) =>
        ResourceName.Parse(string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}/{caseId}/{field}"));

    public static string LocksOf(long branchId) => string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}");

    public static string LocksOf(long branchId, long caseId) => string.Create(CultureInfo.InvariantCulture, $"{Root}/{branchId}/{caseId}");

    public static (long BranchId, long CaseId, string Field) Parts(ResourceName resource)
    {
        var parts = resource.Value.Split('/');
        return (Number(parts[1]), Number(parts[2]), parts[3]);
    }

    /// <summary>The branch of a topic or lock of this system; null where the name is none.</summary>
    public static long? BranchOf(string name)
    {
        var parts = name.Split('/');
        return parts.Length is 2 or 4 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
