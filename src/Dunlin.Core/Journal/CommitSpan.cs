using System.Diagnostics;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>The trace span of one batch, from the start of its transaction until its events are announced. Not thread-safe.</summary>
/// <remarks>It stays <c>Activity.Current</c> for that time, so that backplanes can propagate its ids.</remarks>
internal sealed class CommitSpan : IDisposable
{
    private readonly Activity _span;
    private readonly Activity? _before;
    private Activity? _lastCause;
    private int _links;

    private CommitSpan(Activity span, Activity? before) => (_span, _before) = (span, before);

    /// <summary>Starts a span; returns null if nothing listens to the activity source.</summary>
    public static CommitSpan? Start()
    {
        var before = Activity.Current;
        return DunlinActivities.StartRoot(DunlinActivities.Commit, ActivityKind.Internal) is { } span ? new CommitSpan(span, before) : null;
    }

    /// <summary>Links the spans of the requests in the batch.</summary>
    public void Link<TSession>(IReadOnlyList<WriteRequest<TSession>> requests)
    {
        _span.SetTag("dunlin.requests", requests.Count);
        for (var i = 0; i < requests.Count; i++)
            Link(requests[i].Cause);
    }

    /// <summary>Links a span that wrote into the batch.</summary>
    public void Link(Activity? cause)
    {
        if (cause is not { IsAllDataRequested: true } || ReferenceEquals(cause, _lastCause) || _links == DunlinActivities.MaxLinks)
            return;
        _links++;
        _lastCause = cause;
        _span.AddLink(new ActivityLink(cause.Context));
    }

    /// <summary>Records that the batch is durable.</summary>
    public void Committed(int events) => _span.SetTag("dunlin.events", events);

    /// <summary>Records that the batch was not committed, or that its outcome is unknown.</summary>
    public void Failed(Exception exception)
    {
        _span.SetTag("error.type", exception.GetType().FullName);
        _span.SetStatus(ActivityStatusCode.Error);
    }

    public void Dispose()
    {
        _span.Dispose();
        Activity.Current = _before;
    }
}
