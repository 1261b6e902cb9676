namespace Dunlin.Streams;

/// <summary>Marks an endpoint that answers <c>GET</c> with <see cref="EventStreams.ServeAsync"/>, so that <c>POST /dunlin/v1/streams</c>
/// may include it. <c>MapEventStream</c> adds the mark. Immutable.</summary>
public sealed class ServesEvents
{
    private ServesEvents() { }

    /// <summary>Gets the only instance.</summary>
    public static ServesEvents Instance { get; } = new();
}
