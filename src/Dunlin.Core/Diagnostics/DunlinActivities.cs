using System.Diagnostics;

namespace Dunlin.Diagnostics;

/// <summary>Traces of the engine. Names are stable; tags hold no topic, user or payload.</summary>
public static class DunlinActivities
{
    /// <summary>For <c>AddSource</c> of a tracer.</summary>
    public const string Name = "Dunlin";

    /// <summary>One request to publish.</summary>
    internal const string Publish = "dunlin.publish";

    /// <summary>One batch that a store commits. Links to the spans that wrote into it.</summary>
    internal const string Commit = "dunlin.commit";

    /// <summary>One batch that the fan-out of a node hands to its connections. Links to the commits in it.</summary>
    internal const string Deliver = "dunlin.deliver";

    /// <summary>Links of one span. Exporters drop further ones (OpenTelemetry specification, "Span Limits").</summary>
    internal const int MaxLinks = 128;

    internal static readonly ActivitySource Source = new(Name);

    /// <summary>The span of the caller, for a link from the commit; null where nobody traces.</summary>
    internal static Activity? Caller => Source.HasListeners() ? Activity.Current : null;

    /// <summary>The commit that is being made or announced by the current thread; null where it is not traced.</summary>
    internal static ActivityContext? CurrentCommit =>
        Activity.Current is { OperationName: Commit, Source.Name: Name, Recorded: true } current ? current.Context : null;

    /// <summary>Starts a span without a parent: a batch is the work of many callers.</summary>
    /// <returns>Null where nobody traces. Otherwise the span is current; the one before it is not restored when it stops.</returns>
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
