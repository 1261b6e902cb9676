using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Replicache;

/// <summary>Reads the bodies of push and pull, naming the field at fault. Members that are not known are left alone: the client
/// has added some before.</summary>
internal static class WireReader
{
    // Room for deep arguments of one mutation, which then fails alone and does not keep its client's queue from moving on.
    private const int MaxDepth = JsonText.MaxStoredDepth;

    private const int MaxIdLength = 100;

    /// <summary>Reads a body that is one object.</summary>
    /// <returns>The members, with every half of a surrogate pair replaced by U+FFFD, and the text as it came.</returns>
    public static async ValueTask<(JsonElement Body, ReadOnlyMemory<byte> Utf8)> ReadAsync(HttpContext context, int maxBytes)
    {
        var utf8 = await RequestBody.ReadUtf8Async(context, maxBytes, context.RequestAborted);
        try
        {
            var body = JsonElement.Parse(JsonText.Repair(utf8).Span, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return body.ValueKind == JsonValueKind.Object
                ? (body, utf8)
                : throw new DunlinException(ErrorCode.InvalidField, "The body must be an object.");
        }
        catch (JsonException exception)
        {
            throw new DunlinException(
                ErrorCode.InvalidJson,
                $"The body is not valid JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.",
                null,
                exception
            );
        }
    }

    public static long Version(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var version)
            ? version
            : throw Wrong(name, "a whole number");

    public static string Text(JsonElement parent, string name, string path, int maxLength)
    {
        var text =
            parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw Wrong(path, "a text");
        return text.Length <= maxLength ? text : throw Wrong(path, $"a string of at most {maxLength} characters");
    }

    /// <summary>A client or group id: letters, digits and <c>._:~-</c>, as the client makes them.</summary>
    public static string Id(JsonElement parent, string name, string path)
    {
        var id = Text(parent, name, path, MaxIdLength);
        return id.Length > 0 && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '~' or '-')
            ? id
            : throw Wrong(path, $"an id of 1 to {MaxIdLength} letters, digits and ._:~-");
    }

    public static DunlinException Wrong(string path, string expected) => new(ErrorCode.InvalidField, $"'{path}' must be {expected}.", path);
}
