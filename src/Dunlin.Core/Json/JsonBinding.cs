using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>
/// Makes typed values of JSON from outside: checks the text with <see cref="JsonText"/> first, refuses nulls where the type has
/// none, inside arrays and dictionaries too, and names the field at fault. Safe for concurrent use.
/// </summary>
public static class JsonBinding
{
    // System.Text.Json's own, where options say nothing.
    private const int DefaultDepth = 64;

    /// <summary>Reads one value.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="options">Whether unknown members are refused and names must match in case is theirs to say.</param>
    /// <returns>The value; never null.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidJson"/>; <see cref="ErrorCode.InvalidField"/> and
    /// <see cref="ErrorCode.UnknownField"/> naming the member.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> utf8, JsonSerializerOptions options)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(options);
        options.MakeReadOnly(populateMissingResolver: true);
        JsonText.Check(utf8.Span, new JsonTextRules(options.MaxDepth == 0 ? DefaultDepth : options.MaxDepth, IsDocument: true));
        try
        {
            if (HoldsNull(utf8.Span) && JsonFault.FindNull(utf8, typeof(T), options) is { } fault)
                throw fault;
            return JsonSerializer.Deserialize<T>(utf8.Span, options)
                ?? throw new DunlinException(ErrorCode.InvalidJson, "The body must not be null.");
        }
        catch (JsonException exception)
        {
            throw JsonFault.Of(utf8, typeof(T), options, exception);
        }
    }

    /// <summary>Reads one value of a text that <see cref="JsonText"/> has checked.</summary>
    /// <exception cref="DunlinException">As above.</exception>
    public static T Read<T>(JsonElement json, JsonSerializerOptions options)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(options);
        options.MakeReadOnly(populateMissingResolver: true);
        try
        {
            if (JsonFault.Find(json, typeof(T), options) is { } fault)
                throw fault;
            return json.Deserialize<T>(options) ?? throw new DunlinException(ErrorCode.InvalidJson, "The value must not be null.");
        }
        catch (JsonException exception)
        {
            throw JsonFault.Of(exception);
        }
    }

    private static bool HoldsNull(ReadOnlySpan<byte> utf8) => utf8.IndexOf("null"u8) >= 0;
}
