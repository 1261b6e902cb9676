using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>
/// Determines why a JSON document could not be deserialised: which field, and whether it is unknown, missing, null or of the wrong type.
/// </summary>
/// <remarks>
/// System.Text.Json gives part of this in a path and the rest only in prose. So this slow path compares the document with the contract of
/// the type.
/// </remarks>
internal static class JsonFault
{
    /// <summary>Returns the error for a serialiser exception, with the field that the exception names, if any.</summary>
    public static DunlinException Of(JsonException exception)
    {
        var field = FieldOf(exception.Path);
        return field is null
            ? new DunlinException(ErrorCode.InvalidJson, PositionText(exception), innerException: exception)
            : new DunlinException(ErrorCode.InvalidField, $"'{field}' {ReasonOf(exception)}", field, exception);
    }

    /// <summary>Returns the error for a document that could not be deserialised as <paramref name="type"/>.</summary>
    public static DunlinException Of(ReadOnlyMemory<byte> utf8, Type type, JsonSerializerOptions options, JsonException exception)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = options.MaxDepth });
        }
        catch (JsonException syntax)
        {
            return new DunlinException(ErrorCode.InvalidJson, PositionText(syntax), FieldOf(syntax.Path), syntax);
        }
        using (document)
            return Walk(document.RootElement, options.GetTypeInfo(type), null, "") ?? Of(exception);
    }

    /// <summary>
    /// Returns the error for a null that the nullability annotations of <paramref name="type"/> do not allow; null if there is none.
    /// </summary>
    /// <remarks>Finds nulls in arrays and dictionaries, which the serialiser accepts. Also finds other mismatches.</remarks>
    public static DunlinException? FindNull(ReadOnlyMemory<byte> utf8, Type type, JsonSerializerOptions options)
    {
        using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = options.MaxDepth });
        return Find(document.RootElement, type, options);
    }

    /// <summary>Returns the error for a value that does not match the contract of <paramref name="type"/>; null if there is none.</summary>
    public static DunlinException? Find(JsonElement element, Type type, JsonSerializerOptions options) =>
        element.ValueKind == JsonValueKind.Null ? null : Walk(element, options.GetTypeInfo(type), null, "");

    private static DunlinException? Walk(JsonElement element, JsonTypeInfo contract, NullabilityInfo? nullability, string path) =>
        (contract.Kind, element.ValueKind) switch
        {
            (JsonTypeInfoKind.Object, JsonValueKind.Object) => WalkObject(element, contract, path),
            (JsonTypeInfoKind.Object, _) => Wrong(path, "an object"),
            (JsonTypeInfoKind.Enumerable, JsonValueKind.Array) => WalkItems(element, contract, nullability, path),
            (JsonTypeInfoKind.Enumerable, _) => Wrong(path, "an array"),
            (JsonTypeInfoKind.Dictionary, JsonValueKind.Object) => WalkEntries(element, contract, nullability, path),
            (JsonTypeInfoKind.Dictionary, _) => Wrong(path, "an object"),
            _ => null,
        };

    private static DunlinException? WalkObject(JsonElement element, JsonTypeInfo contract, string path)
    {
        var comparison = contract.Options.PropertyNameCaseInsensitive ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var known = contract.Properties.Where(p => !p.IsExtensionData).ToList();
        var open = contract.Properties.Any(p => p.IsExtensionData) || contract.PolymorphismOptions is not null;
        foreach (var member in element.EnumerateObject())
        {
            var at = Join(path, member.Name);
            if (known.Find(p => string.Equals(p.Name, member.Name, comparison)) is not { } property)
            {
                if (open)
                    continue;
                return new DunlinException(ErrorCode.UnknownField, $"'{at}' is not a known field.", at);
            }
            if (member.Value.ValueKind == JsonValueKind.Null)
            {
                if (!MayBeNull(property))
                    return new DunlinException(ErrorCode.InvalidField, $"'{at}' must not be null.", at);
                continue;
            }
            if (
                property.CustomConverter is null
                && Walk(member.Value, contract.Options.GetTypeInfo(property.PropertyType), Nullability(property), at) is { } fault
            )
                return fault;
        }
        var missing = known.Find(p => p.IsRequired && !element.EnumerateObject().Any(m => string.Equals(m.Name, p.Name, comparison)));
        return missing is null
            ? null
            : new DunlinException(ErrorCode.InvalidField, $"'{Join(path, missing.Name)}' is missing.", Join(path, missing.Name));
    }

    private static DunlinException? WalkItems(JsonElement element, JsonTypeInfo contract, NullabilityInfo? nullability, string path)
    {
        if (contract.ElementType is null)
            return null;
        var item = contract.Options.GetTypeInfo(contract.ElementType);
        var index = 0;
        foreach (var value in element.EnumerateArray())
        {
            if (WalkPart(value, item, PartOf(nullability), $"{path}[{index}]") is { } fault)
                return fault;
            index++;
        }
        return null;
    }

    private static DunlinException? WalkEntries(JsonElement element, JsonTypeInfo contract, NullabilityInfo? nullability, string path)
    {
        if (contract.ElementType is null)
            return null;
        var item = contract.Options.GetTypeInfo(contract.ElementType);
        foreach (var entry in element.EnumerateObject())
        {
            if (WalkPart(entry.Value, item, PartOf(nullability), Join(path, entry.Name)) is { } fault)
                return fault;
        }
        return null;
    }

    private static DunlinException? WalkPart(JsonElement value, JsonTypeInfo contract, NullabilityInfo? nullability, string path)
    {
        if (value.ValueKind != JsonValueKind.Null)
            return Walk(value, contract, nullability, path);
        return nullability is { WriteState: NullabilityState.NotNull } && contract.Type != typeof(JsonElement)
            ? new DunlinException(ErrorCode.InvalidField, $"'{path}' must not be null.", path)
            : null;
    }

    // The annotation of the elements: string or string? in an IReadOnlyList<>, the value type of a dictionary.
    private static NullabilityInfo? PartOf(NullabilityInfo? whole) => whole?.ElementType ?? whole?.GenericTypeArguments.LastOrDefault();

    private static NullabilityInfo? Nullability(JsonPropertyInfo property) =>
        property.AttributeProvider switch
        {
            PropertyInfo info => new NullabilityInfoContext().Create(info),
            FieldInfo info => new NullabilityInfoContext().Create(info),
            _ => null,
        };

    private static bool MayBeNull(JsonPropertyInfo property) =>
        property.AssociatedParameter is { } parameter
            ? parameter.IsNullable
                && (!parameter.ParameterType.IsValueType || Nullable.GetUnderlyingType(parameter.ParameterType) is not null)
            : property.IsSetNullable
                && (!property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null);

    private static DunlinException Wrong(string path, string expected) =>
        path.Length == 0
            ? new DunlinException(ErrorCode.InvalidField, $"The body must be {expected}.")
            : new DunlinException(ErrorCode.InvalidField, $"'{path}' must be {expected}.", path);

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string ReasonOf(JsonException exception) =>
        exception.InnerException is TimeTextException time ? time.Message : "has a wrong type or value.";

    // The serialiser writes "$.items[0].name" for "items[0].name", and "$" for the body.
    private static string? FieldOf(string? path)
    {
        var field =
            path is null or "$" ? null
            : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..]
            : path.TrimStart('$');
        return string.IsNullOrEmpty(field) ? null : field;
    }

    private static string PositionText(JsonException exception) =>
        exception is { LineNumber: { } line, BytePositionInLine: { } column }
            ? $"The body is not valid JSON at line {line + 1}, byte {column + 1}."
            : "The body is not valid JSON.";
}
