using System.Text.Json;

namespace Dunlin.Client;

/// <summary>A page of the journal. Immutable.</summary>
/// <param name="Events">The events, oldest first. The list may be empty although <paramref name="HasMore"/> is true.</param>
/// <param name="Position">The position after which the next page starts.</param>
/// <param name="HasMore">Whether there are later events.</param>
/// <param name="Reset">Why events before the first one are missing: <c>trimmed</c>, <c>epoch</c> or <c>ahead</c>. Null if none
/// are.</param>
public sealed record EventPage(IReadOnlyList<JournalEvent> Events, StreamPosition Position, bool HasMore, string? Reset);

/// <summary>An event of a journal page. Immutable.</summary>
/// <param name="Position">The position.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Type">The type.</param>
/// <param name="Data">The data.</param>
/// <param name="Time">The time of the commit.</param>
public sealed record JournalEvent(StreamPosition Position, string Topic, string Type, JsonElement Data, DateTimeOffset Time);
