using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Writes one frame of an event stream. Valid only during the call that receives it. Not thread-safe.</summary>
/// <remarks>
/// HTML Living Standard 9.2, "Server-sent events". Data with line breaks becomes several <c>data:</c> lines. CR, LF and NUL cannot enter an
/// id or event name.
/// </remarks>
public sealed class FrameWriter
{
    // Threads do not keep a writer whose frame was larger.
    private const int MaxKeptBytes = 16 * 1_024;

    // The writer of this thread; null while it is in use, because a format may encode a second frame while it writes one.
    [ThreadStatic]
    private static FrameWriter? _kept;

    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private bool _hasContent;

    /// <summary>Writes the event name. Omit it for an unnamed event.</summary>
    /// <param name="name">The event name.</param>
    /// <exception cref="ArgumentException">The name holds CR, LF or NUL, or is <c>error</c>, <c>open</c> or begins with <c>dunlin.</c>:
    /// readers treat those as messages about the stream.</exception>
    public void Name(string name)
    {
        if (name.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("An event name cannot contain CR, LF or NUL.", nameof(name));
        if (ReservedTypes.IsStreamName(name))
            throw new ArgumentException($"The event name '{name}' is reserved for control frames. Use another name.", nameof(name));
        WriteName(name);
    }

    /// <summary>
    /// Marks the frame as a control frame with the field <c>control</c>, and an event name for readers that see no other fields.
    /// </summary>
    /// <remarks>Readers trust the field because no other component writes it.</remarks>
    internal void Control(string name)
    {
        WriteName("dunlin." + name);
        _buffer.Write("control: "u8);
        Encoding.ASCII.GetBytes(name, _buffer);
        _buffer.Write("\n"u8);
    }

    /// <summary>Writes the name of an event of another protocol, which may be any text without CR, LF and NUL.</summary>
    internal void ForeignName(string name)
    {
        RequireField(name);
        WriteName(name);
    }

    /// <summary>Writes the reconnection delay.</summary>
    /// <param name="milliseconds">Decimal digits.</param>
    internal void Retry(string milliseconds)
    {
        RequireField(milliseconds);
        Field("retry: "u8, milliseconds);
    }

    private void Id(string? id)
    {
        if (id is null)
            return;
        RequireField(id);
        Field("id: "u8, id);
    }

    private static void RequireField(string value)
    {
        if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("A field of a frame cannot contain CR, LF or NUL.", nameof(value));
    }

    private void WriteName(string name)
    {
        _buffer.Write("event: "u8);
        Encoding.UTF8.GetBytes(name, _buffer);
        _buffer.Write("\n"u8);
        _hasContent = true;
    }

    /// <summary>Writes the topic as a field of its own. Readers that share one stream among several pages route events by it.</summary>
    /// <remarks>The standard requires readers to ignore unknown fields.</remarks>
    /// <param name="topic">The topic.</param>
    public void Topic(TopicName topic)
    {
        Field("topic: "u8, topic.Value);
    }

    /// <summary>Writes the further topics and the format of an event as fields of their own, if it has any.</summary>
    internal void Extra(DunlinEvent source)
    {
        for (var i = 0; i < source.AlsoOn.Count; i++)
            Field("also: "u8, source.AlsoOn[i].Value);
        if (source.Format != EventFormat.Json)
            Field("format: "u8, source.Format == EventFormat.Text ? "text" : "base64");
    }

    /// <summary>Writes the data of an event: text as lines, and binary data in base64.</summary>
    internal void Data(DunlinEvent source)
    {
        if (source.Format == EventFormat.Binary)
            Data(Convert.ToBase64String(source.Data.Span));
        else
            Data(source.Data.Span);
    }

    private void Field(ReadOnlySpan<byte> name, string value)
    {
        _buffer.Write(name);
        Encoding.UTF8.GetBytes(value, _buffer);
        _buffer.Write("\n"u8);
    }

    /// <summary>Writes the data, with one <c>data:</c> line for each line of the input. LF, CR and CR LF end a line.</summary>
    /// <param name="utf8">The data as UTF-8.</param>
    public void Data(ReadOnlySpan<byte> utf8)
    {
        _hasContent = true;
        while (true)
        {
            _buffer.Write("data: "u8);
            var end = utf8.IndexOfAny((byte)'\r', (byte)'\n');
            if (end < 0)
            {
                _buffer.Write(utf8);
                _buffer.Write("\n"u8);
                return;
            }
            _buffer.Write(utf8[..end]);
            _buffer.Write("\n"u8);
            var isPair = utf8[end] == '\r' && end + 1 < utf8.Length && utf8[end + 1] == '\n';
            utf8 = utf8[(end + (isPair ? 2 : 1))..];
        }
    }

    /// <summary>Writes the data as text.</summary>
    /// <param name="text">The data.</param>
    public void Data(string text) => Data(Encoding.UTF8.GetBytes(text));

    /// <summary>Writes the data as JSON produced by <paramref name="write"/>.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="state">The state passed to <paramref name="write"/>, which avoids a closure.</param>
    /// <param name="write">Writes the JSON.</param>
    public void Json<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        // Raw JSON values may contain line breaks, which would end the data line; Data() splits them.
        var text = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(text))
            write(json, state);
        Data(text.WrittenSpan);
    }

    /// <summary>Writes the data as one line of JSON, serialised with <see cref="JsonSerializerOptions.Web"/>.</summary>
    /// <param name="value">The value.</param>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public void Json<T>(T value) => Json(value, static (json, v) => JsonSerializer.Serialize(json, v, JsonSerializerOptions.Web));

    /// <summary>Writes the data as one line of JSON, serialised by the application's own contract.</summary>
    /// <param name="value">The value.</param>
    /// <param name="contract">The contract, such as <c>AppJson.Default.Order</c>.</param>
    public void Json<T>(T value, JsonTypeInfo<T> contract) =>
        Json((value, contract), static (json, data) => JsonSerializer.Serialize(json, data.value, data.contract));

    /// <summary>
    /// Encodes a frame that is not an event of the journal. The frame has an id only if <paramref name="position"/> is not null.
    /// </summary>
    /// <param name="position">The position to write as the id; or null.</param>
    /// <param name="write">Writes the content of the frame.</param>
    /// <returns>The bytes of the frame; empty if <paramref name="write"/> wrote neither name nor data.</returns>
    public static ReadOnlyMemory<byte> Encode(Position? position, Action<FrameWriter> write)
    {
        var frame = Rent();
        frame.Begin(position);
        write(frame);
        return frame.End();
    }

    internal static ReadOnlyMemory<byte> Encode(IWireFormat format, DunlinEvent source)
    {
        if (format is IRawFormat raw)
            return raw.Encode(source);
        var frame = Rent();
        if (format is IEventIds ids)
            frame.Id(ids.IdOf(source));
        else
            frame.Begin(source.IsTransient ? null : source.Position);
        format.Write(source, frame);
        return frame.End();
    }

    private static FrameWriter Rent()
    {
        var frame = _kept ?? new FrameWriter();
        _kept = null;
        return frame;
    }

    private void Begin(Position? position)
    {
        if (position is not { } at)
            return;
        _buffer.Write("id: "u8);
        _buffer.Advance(at.Format(_buffer.GetSpan(Position.MaxLength)));
        _buffer.Write("\n"u8);
    }

    // Not called after an exception: the writer of an incomplete frame is not used again.
    private ReadOnlyMemory<byte> End()
    {
        ReadOnlyMemory<byte> bytes = default;
        if (_hasContent)
        {
            _buffer.Write("\n"u8);
            bytes = _buffer.WrittenSpan.ToArray();
        }
        if (_buffer.Capacity <= MaxKeptBytes)
        {
            _buffer.ResetWrittenCount();
            _hasContent = false;
            _kept = this;
        }
        return bytes;
    }
}
