using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Replicache;

/// <summary>Parses the bodies of push and pull. Errors name the field. Unknown members are ignored, because the client has added members
/// before.</summary>
internal static class WireReader
{
    // The depth leaves room for deep arguments of one mutation, so that only this mutation fails and its client's queue continues.
    private const int MaxDepth = JsonText.MaxStoredDepth;

    private const int MaxIdLength = 100;

    /// <summary>Reads a body that is one JSON object.</summary>
    /// <returns>The members, with unpaired surrogates replaced by U+FFFD, and the UTF-8 text of the request.</returns>
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

    /// <summary>Reads a client id or group id: letters, digits and <c>._:~-</c>, as the client generates them.</summary>
    public static string Id(JsonElement parent, string name, string path)
    {
        var id = Text(parent, name, path, MaxIdLength);
        return id.Length > 0 && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '~' or '-')
            ? id
            : throw Wrong(path, $"an id of 1 to {MaxIdLength} letters, digits and ._:~-");
    }

    public static DunlinException Wrong(string path, string expected) => new(ErrorCode.InvalidField, $"'{path}' must be {expected}.", path);
}
