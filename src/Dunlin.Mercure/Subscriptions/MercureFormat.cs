using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>Writes updates as the protocol defines: <c>id</c>, <c>event</c>, <c>retry</c> and <c>data</c>.</summary>
/// <remarks>An event that the application appends to a text topic has its own type as <c>event</c>. Transient events are left out, because
/// an update must have an id.</remarks>
internal sealed class MercureFormat : IWireFormat, IEventIds
{
    /// <summary>The type of published updates in the journal. Their <c>event</c> is a header, because it may be any text.</summary>
    public const string UpdateType = "mercure.update";

    /// <summary>The type of subscription events in the journal.</summary>
    public const string SubscriptionType = "mercure.subscription";

    public const string TypeHeader = "type";
    public const string RetryHeader = "retry";

    public static MercureFormat Instance { get; } = new();

    /// <summary>Returns the id of an update.</summary>
    public static string IdOf(string? foreignId, Position position) => foreignId ?? $"#{position}";

    public string? IdOf(DunlinEvent source) => source.IsTransient ? null : IdOf(source.ForeignId, source.Position);

    public void Write(DunlinEvent source, FrameWriter frame)
    {
        if (source.IsTransient)
            return;
        if (TypeOf(source) is { } type)
            frame.ForeignName(type);
        if (source.Headers.TryGetValue(RetryHeader, out var retry))
            frame.Retry(retry);
        frame.Data(source);
    }

    private static string? TypeOf(DunlinEvent source) =>
        source.Type is UpdateType or SubscriptionType ? source.Headers.GetValueOrDefault(TypeHeader)
        : source.Type == "message" ? null
        : source.Type;
}
