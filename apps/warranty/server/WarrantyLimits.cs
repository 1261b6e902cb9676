namespace Dunlin.Apps.Warranty;

/// <summary>Limits for the stored data of a branch.</summary>
internal static class WarrantyLimits
{
    /// <summary>Cases of a branch that are not deleted. A search reads all of them.</summary>
    public const int Cases = 50_000;

    /// <summary>Deleted cases of a branch that are kept with their history, for later look-ups.</summary>
    public const int DeletedCases = 5_000;

    /// <summary>Overwritten values of a case that are kept. The oldest are removed first.</summary>
    public const int History = 1_000;
}
