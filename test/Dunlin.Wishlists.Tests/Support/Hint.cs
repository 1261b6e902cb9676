using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>One event of a user's stream.</summary>
internal sealed record Hint(string Type, JsonElement Data);

/// <summary>Ways to read a user's stream.</summary>
internal static class Hints
{
    public static Task<EventReader<Hint>> OpenAsync(HttpClient client, HttpResponseMessage response) =>
        EventReader<Hint>.OpenAsync(client, response, static item => new Hint(item.EventType, JsonDocument.Parse(item.Data).RootElement));

    public static Task<Hint> UntilAsync(this EventReader<Hint> reader, string type) => reader.UntilAsync(hint => hint.Type == type);
}
