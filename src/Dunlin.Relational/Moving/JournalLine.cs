using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Relational.Moving;

/// <summary>Writes and reads the lines of an exported journal. Each line is one JSON object: the header, a row of a stream or producer, an
/// event, a mark of retention, or the end.</summary>
/// <remarks>Data that is JSON on one line stands in the line byte by byte, so that an import restores the same bytes. Other data is in
/// base64.</remarks>
internal static class JournalLine
{
    public const string Format = "dunlin-journal";
    public const int Version = 1;

    /// <summary>The longest line: data of 1 MiB in base64, with the names around it.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    // Data may be nested deeper than the default of 64: the library appends data without a limit of depth.
    private static readonly JsonReaderOptions DeepData = new() { MaxDepth = 1_000 };
    private static readonly JsonReaderOptions DeepLine = new() { MaxDepth = 1_001 };

    public static void Write(Utf8JsonWriter json, JournalHeader header)
    {
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteNumber("version", Version);
        json.WriteString("epoch", header.Epoch.ToString("x8", CultureInfo.InvariantCulture));
        json.WriteNumber("first", header.First);
        json.WriteNumber("last", header.Last);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, DunlinEvent entry)
    {
        json.WriteStartObject();
        json.WriteNumber("offset", entry.Position.Offset);
        json.WriteString("topic", entry.Topic.Value);
        json.WriteString("type", entry.Type);
        json.WriteString("time", entry.Time);
        WriteIfSet(json, "user", entry.Origin?.UserId);
        WriteIfSet(json, "session", entry.Origin?.SessionId);
        WriteIfSet(json, "connection", entry.Origin?.ConnectionId);
        WriteIfSet(json, "device", entry.Origin?.DeviceId);
        if (entry.EncodedExtra is { } extra)
        {
            json.WritePropertyName("extra");
            json.WriteRawValue(extra, skipInputValidation: true);
        }
        if (IsJsonOnOneLine(entry.Data.Span))
        {
            json.WritePropertyName("data");
            json.WriteRawValue(entry.Data.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteBase64String("base64", entry.Data.Span);
        }
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, TrimmedTopic topic)
    {
        json.WriteStartObject();
        json.WriteString("trimmed", topic.Name);
        json.WriteNumber("through", topic.Through);
        json.WriteEndObject();
    }

    public static void WriteEnd(Utf8JsonWriter json, long events)
    {
        json.WriteStartObject();
        json.WriteNumber("events", events);
        json.WriteEndObject();
    }

    /// <summary>Reads the header.</summary>
    /// <exception cref="FormatException">The line is no header of a known version.</exception>
    public static JournalHeader ReadHeader(ReadOnlySpan<byte> line)
    {
        string? format = null;
        long version = 0;
        var header = new JournalHeader(0, -1, -1);
        var reader = Begin(line);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "format" when reader.TokenType == JsonTokenType.String:
                    format = reader.GetString();
                    break;
                case "version":
                    version = reader.GetInt64();
                    break;
                case "epoch":
                    header = header with { Epoch = uint.Parse(reader.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture) };
                    break;
                case "first":
                    header = header with { First = reader.GetInt64() };
                    break;
                case "last":
                    header = header with { Last = reader.GetInt64() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (format != Format)
            throw new FormatException($"The first line must have \"format\":\"{Format}\". The file is no exported journal.");
        if (version != Version)
            throw new FormatException($"The file has version {version} of the format; this program reads version {Version}.");
        if (header.Epoch == 0 || header.First < 0 || header.Last < 0)
            throw new FormatException("The header lacks \"epoch\", \"first\" or \"last\".");
        return header;
    }

    /// <summary>Reads a line after the header: a <see cref="TableRow"/>, a <see cref="DunlinEvent"/>, a <see cref="TrimmedTopic"/>, or the
    /// number of events as a <see cref="long"/>.</summary>
    /// <exception cref="FormatException">The line is invalid. The message names the field.</exception>
    public static object Read(ReadOnlySpan<byte> line)
    {
        var fields = new Fields();
        var reader = Begin(line);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            fields.Read(ref reader, line);
        // Nothing may follow the object.
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            throw new FormatException("The line is not one JSON object.");
        return fields.ToLine();
    }

    private static Utf8JsonReader Begin(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, DeepLine);
        return reader.Read() && reader.TokenType == JsonTokenType.StartObject
            ? reader
            : throw new FormatException("The line is not a JSON object.");
    }

    private static bool IsJsonOnOneLine(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.IndexOfAny((byte)'\n', (byte)'\r') >= 0 || data[0] == ' ' || data[^1] == ' ' || !Utf8.IsValid(data))
            return false;
        try
        {
            var reader = new Utf8JsonReader(data, DeepData);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void WriteIfSet(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private struct Fields
    {
        private long? _offset;
        private long? _through;
        private long? _events;
        private string? _topic;
        private string? _trimmed;
        private string? _type;
        private string? _user;
        private string? _session;
        private string? _connection;
        private string? _device;
        private DateTimeOffset? _time;
        private byte[]? _data;
        private EventExtra? _extra;
        private string? _table;
        private Dictionary<string, object>? _row;

        public void Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
        {
            var name = reader.GetString();
            reader.Read();
            try
            {
                switch (name)
                {
                    case "offset":
                        _offset = reader.GetInt64();
                        break;
                    case "through":
                        _through = reader.GetInt64();
                        break;
                    case "events":
                        _events = reader.GetInt64();
                        break;
                    case "topic":
                        _topic = reader.GetString();
                        break;
                    case "trimmed":
                        _trimmed = reader.GetString();
                        break;
                    case "type":
                        _type = reader.GetString();
                        break;
                    case "time":
                        _time = reader.GetDateTimeOffset();
                        break;
                    case "user":
                        _user = reader.GetString();
                        break;
                    case "session":
                        _session = reader.GetString();
                        break;
                    case "connection":
                        _connection = reader.GetString();
                        break;
                    case "device":
                        _device = reader.GetString();
                        break;
                    case "base64":
                        _data = reader.GetBytesFromBase64();
                        break;
                    case "data":
                        _data = Raw(ref reader, line).ToArray();
                        break;
                    case "extra":
                        _extra = EventExtra.Decode(Raw(ref reader, line));
                        if (_extra?.Fault() is { } fault)
                            throw new FormatException(fault.Message);
                        foreach (var topic in _extra?.AlsoOn ?? [])
                            _ = Topic(topic.Value);
                        break;
                    case "table":
                        _table = reader.GetString();
                        break;
                    case "row":
                        _row = TableRow.Read(ref reader);
                        break;
                    default:
                        throw new FormatException("the format does not have it.");
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or FormatException)
            {
                throw new FormatException($"The field \"{name}\" is invalid: {exception.Message}", exception);
            }
        }

        private static ReadOnlySpan<byte> Raw(ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            return line[start..(int)reader.BytesConsumed];
        }

        public readonly object ToLine()
        {
            if (_events is { } events)
                return events;
            if (_table is { } table)
                return TransferTables.Names.Contains(table, StringComparer.Ordinal)
                    ? new TableRow(table, _row ?? throw Missing("row"))
                    : throw new FormatException($"This version has no table '{table}'. Import with the version that exported.");
            if (_trimmed is { } trimmed)
                return new TrimmedTopic(Topic(trimmed).Value, _through ?? throw Missing("through"));
            var type = _type ?? throw Missing("type");
            if (EventDraft.TypeFault(type) is { } fault)
                throw new FormatException(fault);
            var data = _data ?? throw Missing("data");
            if (data.Length > JournalLimits.MaxDataBytes)
                throw new FormatException($"The data has {data.Length} bytes; at most {JournalLimits.MaxDataBytes} are allowed.");
            var origin = new EventOrigin(_user, _session, _connection, _device);
            return new DunlinEvent(
                new Position(0, _offset is > 0 and { } offset ? offset : throw Missing("offset")),
                Topic(_topic ?? throw Missing("topic")),
                type,
                data,
                origin == new EventOrigin() ? null : origin,
                _time ?? throw Missing("time"),
                _extra
            );
        }

        private static TopicName Topic(string name)
        {
            try
            {
                return name.StartsWith('#') ? TopicName.ForText(name[1..]) : TopicName.Parse(name);
            }
            catch (DunlinException exception)
            {
                throw new FormatException(exception.Message, exception);
            }
        }

        private static FormatException Missing(string field) => new($"The field \"{field}\" is missing or invalid.");
    }
}

/// <summary>The first line of an exported journal. Immutable.</summary>
/// <param name="Epoch">The epoch of the journal.</param>
/// <param name="First">The offset of the first event that the journal held; 0 for none.</param>
/// <param name="Last">The last offset of the journal when the export began.</param>
internal sealed record JournalHeader(uint Epoch, long First, long Last);

/// <summary>A topic from which retention has deleted events. Immutable.</summary>
/// <param name="Name">The topic.</param>
/// <param name="Through">The offset of the last deleted event.</param>
internal sealed record TrimmedTopic(string Name, long Through);
