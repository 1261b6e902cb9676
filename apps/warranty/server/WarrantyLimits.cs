namespace Dunlin.Apps.Warranty;

/// <summary>What those who work in a branch can make the server keep.</summary>
internal static class WarrantyLimits
{
    /// <summary>Cases of a branch that are not deleted: a search reads all of them.</summary>
    public const int Cases = 50_000;

    /// <summary>Deleted cases of a branch that are kept, with their history, for whoever has to look one up.</summary>
    public const int DeletedCases = 5_000;

    /// <summary>Overwritten values of a case that are kept; the oldest go first.</summary>
    public const int History = 1_000;
}
