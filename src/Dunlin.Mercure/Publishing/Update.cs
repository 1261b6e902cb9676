using Dunlin.Mercure.Matchers;

namespace Dunlin.Mercure.Publishing;

/// <summary>An update as a publisher sends it.</summary>
/// <param name="Topics">The canonical topic, then the alternates.</param>
/// <param name="Data">The text of the update. Opaque to the hub.</param>
/// <param name="IsPrivate">Whether only readers with a grant for one of the topics receive it.</param>
/// <param name="Id">The publisher's id; null for one of the hub.</param>
/// <param name="Type">The type of the event; null for the default.</param>
/// <param name="Retry">The reconnection time in milliseconds as decimal digits; null for none.</param>
internal sealed record Update(IReadOnlyList<Topic> Topics, string Data, bool IsPrivate, string? Id, string? Type, string? Retry);
