using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>One event of a user's stream.</summary>
internal sealed record Hint(string Type, JsonElement Data);

/// <summary>Reads a user's stream.</summary>
internal static class Hints
{
    public static Hint Read(SseItem<string> item) => new(item.EventType, JsonElement.Parse(item.Data));

    public static Task<Hint> UntilAsync(this EventStreamReader<Hint> reader, string type) => reader.UntilAsync(hint => hint.Type == type);
}
