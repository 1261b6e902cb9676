namespace Dunlin.Diagnostics;

/// <summary>Names of the meters, for <c>AddMeter</c> of a metrics exporter.</summary>
public static class DunlinMeters
{
    /// <summary>Appends, batches and the writer's queue of a store.</summary>
    public const string Journal = "Dunlin.Journal";
}
