using System.Buffers;
using System.Text;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// Writes one frame of an event stream (HTML standard, section 9.2 "Server-sent events"): data that holds line breaks
/// becomes several <c>data:</c> lines, and CR, LF and NUL cannot enter an id or event name. Not for concurrent use.
/// </summary>
public sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private bool _hasContent;

    /// <summary>The event name line. Leave it out for an unnamed event.</summary>
    /// <exception cref="ArgumentException">The name holds CR, LF or NUL, or is <c>error</c>, <c>open</c> or begins with <c>dunlin.</c>:
    /// readers take those for news of the stream itself.</exception>
    public void Name(string name)
    {
        if (name.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("An event name cannot hold CR, LF or NUL.", nameof(name));
        if (ReservedTypes.IsStreamName(name))
            throw new ArgumentException($"The event name '{name}' is reserved for the stream itself.", nameof(name));
        WriteName(name);
    }

    /// <summary>The lines that make a frame a control frame: the field <c>control</c>, which readers believe because nothing else
    /// writes it, and an event name for readers that see no other fields.</summary>
    internal void Control(string name)
    {
        WriteName("dunlin." + name);
        _buffer.Write("control: "u8);
        Encoding.ASCII.GetBytes(name, _buffer);
        _buffer.Write("\n"u8);
    }

    private void WriteName(string name)
    {
        _buffer.Write("event: "u8);
        Encoding.UTF8.GetBytes(name, _buffer);
        _buffer.Write("\n"u8);
        _hasContent = true;
    }

    /// <summary>The topic, as a field of its own: the standard has readers ignore fields that they do not know, and a reader
    /// that shares one stream among several pages needs to know whose event it is.</summary>
    public void Topic(TopicName topic)
    {
        _buffer.Write("topic: "u8);
        Encoding.ASCII.GetBytes(topic.Value, _buffer);
        _buffer.Write("\n"u8);
    }

    /// <summary>The data, as one <c>data:</c> line for each of its lines (ended by LF, CR or CR LF).</summary>
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

    /// <summary>The data as text.</summary>
    public void Data(string text) => Data(Encoding.UTF8.GetBytes(text));

    /// <summary>The data as JSON, written by <paramref name="write"/>.</summary>
    public void Json<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        // Raw values inside may hold line breaks, which would end the data line: so through Data(), which splits them.
        var text = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(text))
            write(json, state);
        Data(text.WrittenSpan);
    }

    /// <summary>The data as one line of JSON in web style.</summary>
    public void Json<T>(T value) => Json(value, static (json, v) => JsonSerializer.Serialize(json, v, JsonSerializerOptions.Web));

    /// <summary>Encodes a frame that is no event of the journal: it carries an id only if <paramref name="position"/> is given.</summary>
    public static ReadOnlyMemory<byte> Encode(Position? position, Action<FrameWriter> write)
    {
        var frame = new FrameWriter();
        frame.Begin(position);
        write(frame);
        return frame.End();
    }

    internal static ReadOnlyMemory<byte> Encode(IWireFormat format, DunlinEvent source)
    {
        var frame = new FrameWriter();
        frame.Begin(source.IsTransient ? null : source.Position);
        format.Write(source, frame);
        return frame.End();
    }

    private void Begin(Position? position)
    {
        if (position is not { } at)
            return;
        _buffer.Write("id: "u8);
        _buffer.Advance(at.Format(_buffer.GetSpan(Position.MaxLength)));
        _buffer.Write("\n"u8);
    }

    private ReadOnlyMemory<byte> End()
    {
        if (!_hasContent)
            return ReadOnlyMemory<byte>.Empty;
        _buffer.Write("\n"u8);
        return _buffer.WrittenSpan.ToArray();
    }
}
