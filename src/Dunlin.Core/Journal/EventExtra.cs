using System.Buffers;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// What few events have: further topics, a restriction, a foreign id, another format than JSON, headers. Null for all other events, which
/// then pay for one reference. Immutable, except for the cached views.
/// </summary>
internal sealed record EventExtra
{
    /// <summary>The maximum number of further topics: 100. Bounds the index rows and look-ups of one event.</summary>
    public const int MaxTopics = 100;

    /// <summary>The maximum length of a foreign id in characters: 2,048, as for URLs.</summary>
    public const int MaxIdLength = 2_048;

    /// <summary>The maximum number of headers: 16.</summary>
    public const int MaxHeaders = 16;

    /// <summary>The maximum length of the name or value of a header in characters: 2,048.</summary>
    public const int MaxHeaderLength = 2_048;

    private Views? _views;

    public IReadOnlyList<TopicName> AlsoOn { get; init; } = [];

    public bool IsRestricted { get; init; }

    public string? ForeignId { get; init; }

    public EventFormat Format { get; init; }

    public IReadOnlyDictionary<string, string> Headers { get; init; } = EventDraft.NoHeaders;

    public bool IsEmpty => AlsoOn.Count == 0 && !IsRestricted && ForeignId is null && Format == EventFormat.Json && Headers.Count == 0;

    /// <summary>Returns why the values are not valid; null if they are.</summary>
    public DunlinException? Fault() =>
        AlsoOn.Count > MaxTopics ? Invalid($"An event has at most {MaxTopics} further topics, not {AlsoOn.Count}.", "alsoOn")
        : AlsoOn.Any(static topic => topic.Value.Length == 0) ? Invalid("A further topic is missing.", "alsoOn")
        : ForeignId is { } id && (id.Length is 0 or > MaxIdLength || !IsStorable(id))
            ? Invalid($"A foreign id has 1 to {MaxIdLength} characters of valid Unicode, without NUL.", "foreignId")
        : !Enum.IsDefined(Format) ? Invalid($"'{Format}' is not a format of event data.", "format")
        : Headers.Count > MaxHeaders || Headers.Any(static header => !IsHeader(header.Key) || !IsHeader(header.Value))
            ? Invalid($"An event has at most {MaxHeaders} headers of at most {MaxHeaderLength} characters of valid Unicode.", "headers")
        : null;

    /// <summary>Returns all topics of an event as selectors of a kind see them. Cached, because all readers of the event ask.</summary>
    public IReadOnlyList<TopicView> ViewsOf(SelectorKind kind, TopicName first)
    {
        for (var known = Volatile.Read(ref _views); known is not null; known = known.Next)
        {
            if (ReferenceEquals(known.Kind, kind))
                return known.List;
        }
        var list = AlsoOn.Prepend(first).Select(kind.View).OfType<TopicView>().ToArray();
        // Two threads may compute the same list; either may stay.
        Volatile.Write(ref _views, new Views(kind, list, Volatile.Read(ref _views)));
        return list;
    }

    /// <summary>Encodes the values for a store or another node.</summary>
    public byte[] Encode()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (AlsoOn.Count > 0)
            {
                json.WriteStartArray("also"u8);
                foreach (var topic in AlsoOn)
                    json.WriteStringValue(topic.Value);
                json.WriteEndArray();
            }
            if (IsRestricted)
                json.WriteBoolean("restricted"u8, true);
            if (ForeignId is not null)
                json.WriteString("id"u8, ForeignId);
            if (Format != EventFormat.Json)
                json.WriteString("format"u8, Format == EventFormat.Text ? "text" : "binary");
            if (Headers.Count > 0)
            {
                json.WriteStartObject("headers"u8);
                foreach (var (name, value) in Headers.OrderBy(static header => header.Key, StringComparer.Ordinal))
                    json.WriteString(name, value);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Decodes what <see cref="Encode"/> made. Members of later versions are ignored.</summary>
    /// <exception cref="FormatException">The bytes are something else.</exception>
    public static EventExtra? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return bytes.IsEmpty ? null : Read(bytes);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException or DunlinException)
        {
            throw new FormatException($"The values besides topic, type and data are invalid: {error.Message}", error);
        }
    }

    private static EventExtra Read(ReadOnlySpan<byte> bytes)
    {
        var extra = new EventExtra();
        var reader = new Utf8JsonReader(bytes);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("The extra values are not a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "also":
                    var also = new List<TopicName>();
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                        also.Add(TopicName.FromStored(reader.GetString()!));
                    extra = extra with { AlsoOn = also };
                    break;
                case "restricted":
                    extra = extra with { IsRestricted = reader.GetBoolean() };
                    break;
                case "id":
                    extra = extra with { ForeignId = reader.GetString() };
                    break;
                case "format":
                    extra = extra with { Format = Enum.Parse<EventFormat>(reader.GetString() ?? "", ignoreCase: true) };
                    break;
                case "headers":
                    var headers = new Dictionary<string, string>(StringComparer.Ordinal);
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                    {
                        var header = reader.GetString()!;
                        reader.Read();
                        headers.Add(header, reader.GetString()!);
                    }
                    extra = extra with { Headers = headers };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return extra;
    }

    private static bool IsHeader(string text) => text.Length <= MaxHeaderLength && IsStorable(text);

    // PostgreSQL text cannot hold NUL, and an unpaired surrogate has no UTF-8 encoding.
    private static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !char.IsSurrogatePair(text, i++)))
                return false;
        }
        return true;
    }

    private static DunlinException Invalid(string detail, string field) => new(ErrorCode.InvalidField, detail, field);

    private sealed record Views(SelectorKind Kind, IReadOnlyList<TopicView> List, Views? Next);
}
