using System.Diagnostics;

namespace Dunlin.Diagnostics;

/// <summary>Traces of the engine. Names are stable; tags hold no topic, user or payload.</summary>
public static class DunlinActivities
{
    /// <summary>For <c>AddSource</c> of a tracer.</summary>
    public const string Name = "Dunlin";

    internal static readonly ActivitySource Source = new(Name);
}
