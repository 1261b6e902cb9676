using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Json;

/// <summary>Finds the JSON contracts of the application's types. The engine's own types have source-generated contracts.</summary>
internal static class JsonContracts
{
    /// <summary>The warning of members that serialise a type of the application without a contract.</summary>
    public const string NeedsReflection =
        "Finds the members of the type by reflection, which trimming may remove. Use the overload with a JsonTypeInfo<T>.";

    private const string Guarded =
        "Without reflection these options have no contract for any type. Reading or writing then throws NotSupportedException.";

    /// <summary>Gets <see cref="JsonSerializerOptions.Web"/>, which an application may replace by options with its own contracts.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Guarded)]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = Guarded)]
    public static JsonSerializerOptions Web => JsonSerializerOptions.Web;

    /// <summary>Returns the contract of a type, made by reflection.</summary>
    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    public static JsonTypeInfo<T> ByReflection<T>() => Of<T>(JsonSerializerOptions.Web);

    /// <summary>Returns the contract of a type in the application's options.</summary>
    /// <exception cref="NotSupportedException">The options have no contract for the type.</exception>
    public static JsonTypeInfo<T> Of<T>(JsonSerializerOptions options)
    {
        Freeze(options);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }

    /// <summary>Makes options read-only. Options without a source of contracts get reflection, unless the program excludes it.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Guarded)]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = Guarded)]
    public static void Freeze(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.IsReadOnly)
            return;
        if (options.TypeInfoResolver is null && !JsonSerializer.IsReflectionEnabledByDefault)
            options.TypeInfoResolver = JsonTypeInfoResolver.Combine();
        options.MakeReadOnly(populateMissingResolver: true);
    }
}
