namespace Dunlin.Diagnostics;

/// <summary>Names under which the engine's figures and traces are found.</summary>
public static class DunlinMeters
{
    /// <summary>The meter and the activity source.</summary>
    public const string Name = "Dunlin";
}
