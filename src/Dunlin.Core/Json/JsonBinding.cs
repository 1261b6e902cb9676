using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>Deserialises JSON of requests to typed values. Thread-safe.</summary>
/// <remarks>
/// Validates the text with <see cref="JsonText"/> first. Rejects nulls where the type does not allow them, also in arrays and dictionaries.
/// Errors name the field.
/// </remarks>
internal static class JsonBinding
{
    // The default of System.Text.Json, used if the options do not set it.
    private const int DefaultDepth = 64;

    /// <summary>Deserialises one value.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="utf8">The text as UTF-8.</param>
    /// <param name="options">The serialiser options. They decide whether unknown members are rejected and whether names are
    /// case-sensitive.</param>
    /// <returns>The value; never null.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidJson"/>: the text is not valid JSON, or is null.
    /// <see cref="ErrorCode.InvalidField"/>: a member is missing or has a wrong value.
    /// <see cref="ErrorCode.UnknownField"/>: a member is unknown.
    /// </exception>
    public static T Read<T>(ReadOnlyMemory<byte> utf8, JsonSerializerOptions options)
        where T : notnull
    {
        JsonContracts.Freeze(options);
        JsonText.Check(utf8.Span, new JsonTextRules(options.MaxDepth == 0 ? DefaultDepth : options.MaxDepth, IsDocument: true));
        try
        {
            if (HoldsNull(utf8.Span) && JsonFault.FindNull(utf8, typeof(T), options) is { } fault)
                throw fault;
            return JsonSerializer.Deserialize(utf8.Span, JsonContracts.Of<T>(options))
                ?? throw new DunlinException(ErrorCode.InvalidJson, "The body must not be null.");
        }
        catch (JsonException exception)
        {
            throw JsonFault.Of(utf8, typeof(T), options, exception);
        }
    }

    /// <summary>Deserialises one value of a text that <see cref="JsonText"/> has validated.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="json">The value.</param>
    /// <param name="options">The serialiser options.</param>
    /// <returns>The value; never null.</returns>
    /// <exception cref="DunlinException">As for <see cref="Read{T}(ReadOnlyMemory{byte}, JsonSerializerOptions)"/>.</exception>
    public static T Read<T>(JsonElement json, JsonSerializerOptions options)
        where T : notnull
    {
        JsonContracts.Freeze(options);
        try
        {
            if (JsonFault.Find(json, typeof(T), options) is { } fault)
                throw fault;
            return json.Deserialize(JsonContracts.Of<T>(options))
                ?? throw new DunlinException(ErrorCode.InvalidJson, "The value must not be null.");
        }
        catch (JsonException exception)
        {
            throw JsonFault.Of(exception);
        }
    }

    private static bool HoldsNull(ReadOnlySpan<byte> utf8) => utf8.IndexOf("null"u8) >= 0;
}
