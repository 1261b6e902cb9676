namespace Dunlin.Streams;

/// <summary>
/// Marks an endpoint that answers <c>GET</c> with <see cref="EventStreams.ServeAsync"/>, so that <c>POST /dunlin/v1/streams</c> may
/// carry it. <c>MapEventStream</c> adds the mark.
/// </summary>
public sealed class ServesEvents
{
    private ServesEvents() { }

    /// <summary>The only instance.</summary>
    public static ServesEvents Instance { get; } = new();
}
