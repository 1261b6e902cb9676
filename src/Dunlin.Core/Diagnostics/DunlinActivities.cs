using System.Diagnostics;

namespace Dunlin.Diagnostics;

/// <summary>The trace spans of the engine. Names are stable. Tags contain no topic, user or payload.</summary>
public static class DunlinActivities
{
    /// <summary>The name of the activity source, for <c>AddSource</c> of OpenTelemetry.</summary>
    public const string Name = "Dunlin";

    /// <summary>The span of one publish request.</summary>
    internal const string Publish = "dunlin.publish";

    /// <summary>The span of one batch that a store commits. Links to the spans that wrote into it.</summary>
    internal const string Commit = "dunlin.commit";

    /// <summary>The span of one batch that a node delivers to its connections. Links to the commits in it.</summary>
    internal const string Deliver = "dunlin.deliver";

    /// <summary>
    /// The maximum number of links of one span. Exporters drop further links (OpenTelemetry specification, "Span Limits").
    /// </summary>
    internal const int MaxLinks = 128;

    internal static readonly ActivitySource Source = new(Name);

    /// <summary>Gets the current span, to link it from the commit; null if tracing is off.</summary>
    internal static Activity? Caller => Source.HasListeners() ? Activity.Current : null;

    /// <summary>Gets the commit span that is current on this thread; null if it is not traced.</summary>
    internal static ActivityContext? CurrentCommit =>
        Activity.Current is { OperationName: Commit, Source.Name: Name, Recorded: true } current ? current.Context : null;

    /// <summary>Starts a span without a parent: a batch belongs to many callers.</summary>
    /// <returns>The span, or null if tracing is off. The span is current. Stopping it does not restore the earlier span.</returns>
    internal static Activity? StartRoot(string name, ActivityKind kind, IEnumerable<ActivityLink>? links = null)
    {
        if (!Source.HasListeners())
            return null;
        var caller = Activity.Current;
        Activity.Current = null;
        var root = Source.StartActivity(name, kind, default(ActivityContext), tags: null, links);
        if (root is null)
            Activity.Current = caller;
        return root;
    }
}
