using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Dunlin.Topics;

/// <summary>The grants of a credential, as patterns of topics and resources. Immutable.</summary>
/// <remarks>
/// They come from the claim <c>dunlin</c> of a JSON Web Token (RFC 7519): <c>{"subscribe": [...], "publish": [...], "hold": [...], "take":
/// [...]}</c>. Everything not listed is denied. Grants take effect where <c>AddTokenGrants()</c> registers <see cref="GrantPolicy"/>.
/// </remarks>
public sealed record Grants
{
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 3, AllowDuplicateProperties = false };

    /// <summary>Gets the empty grants.</summary>
    public static Grants None { get; } = new();

    /// <summary>Gets the patterns of topics whose events and presence the caller may read. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Subscribe { get; init; } = [];

    /// <summary>Gets the patterns of topics that the caller may publish to. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Publish { get; init; } = [];

    /// <summary>Gets the patterns of resources whose leases the caller may hold and see. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Hold { get; init; } = [];

    /// <summary>Gets the patterns of resources whose leases the caller may preempt, hold and see. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Preempt { get; init; } = [];

    /// <summary>Parses the claim. Rejects unknown members: ignoring unknown permissions would hide typos.</summary>
    /// <param name="json">The claim as JSON.</param>
    /// <returns>The grants.</returns>
    /// <exception cref="FormatException">The claim is not valid; the message gives the reason.</exception>
    public static Grants Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("The claim 'dunlin' must be a JSON object.");
            var grants = None;
            foreach (var member in document.RootElement.EnumerateObject())
            {
                var patterns = Patterns(member);
                grants = member.Name switch
                {
                    "subscribe" => grants with { Subscribe = patterns },
                    "publish" => grants with { Publish = patterns },
                    "hold" => grants with { Hold = patterns },
                    "take" => grants with { Preempt = patterns },
                    _ => throw new FormatException($"'{member.Name}' is not a permission. Use subscribe, publish, hold and take."),
                };
            }
            return grants;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // the latter: an unpaired surrogate
        {
            throw new FormatException("The claim 'dunlin' is not valid JSON.", exception);
        }
    }

    /// <summary>Parses the claim.</summary>
    /// <param name="json">The claim as JSON.</param>
    /// <param name="grants">The grants; <see cref="None"/> if the method returns false.</param>
    /// <returns>Whether the claim is valid.</returns>
    public static bool TryParse(string json, out Grants grants)
    {
        try
        {
            grants = Parse(json);
            return true;
        }
        catch (FormatException)
        {
            grants = None;
            return false;
        }
    }

    /// <summary>Returns the claim as JSON.</summary>
    public string ToJson()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            Write(json, "subscribe", Subscribe);
            Write(json, "publish", Publish);
            Write(json, "hold", Hold);
            Write(json, "take", Preempt);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<TopicPattern> patterns)
    {
        if (patterns.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var pattern in patterns)
            json.WriteStringValue(pattern.Text);
        json.WriteEndArray();
    }

    private static List<TopicPattern> Patterns(JsonProperty member)
    {
        if (
            member.Value.ValueKind != JsonValueKind.Array
            || member.Value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String)
        )
            throw new FormatException($"'{member.Name}' must be an array of strings.");
        return [.. member.Value.EnumerateArray().Select(item => TopicPattern.Parse(item.GetString()))];
    }
}
