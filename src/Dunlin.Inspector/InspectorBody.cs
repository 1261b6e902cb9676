using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Inspector;

/// <summary>Reads small request bodies with source-generated contracts.</summary>
internal static class InspectorBody
{
    private const int MaxBytes = 16 * 1024;

    /// <exception cref="Diagnostics.DunlinException">The body is not the JSON that the contract describes.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> json)
        where T : class
    {
        var utf8 = await RequestBody.ReadUtf8Async(context, MaxBytes, context.RequestAborted);
        return JsonSerializer.Deserialize(utf8.Span, json) ?? throw new JsonException("The body is null.");
    }
}
