using System.Buffers;
using System.Text;

namespace Dunlin.Client.Sse;

/// <summary>Parses the bytes of an event stream into frames. Not thread-safe.</summary>
/// <remarks>
/// HTML Living Standard, 9.2.6 "Interpreting an event stream". Chunks may be split anywhere. A block that the end of the stream cuts off
/// is not returned and its id is dropped, because both take effect only at the blank line that ends a block. <c>SseParser</c> of .NET
/// drops the fields <c>topic</c> and <c>control</c>, and moves its id before the blank line.
/// </remarks>
internal sealed class FrameReader(int maxFrame) : IDisposable
{
    private const int MinBuffer = 4096;
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    private byte[]? _buffer;
    private int _start;
    private int _end;
    private bool _isAtStart = true;
    private bool _skipsLineFeed;

    private ArrayBufferWriter<byte>? _data;
    private bool _hasData;
    private string? _type;
    private string? _topic;
    private string? _control;
    private string? _format;
    private List<string>? _also;
    private string _id = "";

    /// <summary>Gets the last event id of the stream.</summary>
    public string LastEventId { get; private set; } = "";

    /// <summary>Gets the last valid <c>retry</c> field, or null.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <summary>Gets whether all received bytes were parsed. The reader then holds no buffer.</summary>
    public bool IsEmpty => _start == _end;

    /// <summary>Returns memory for the next bytes. Call <see cref="Advance"/> afterwards.</summary>
    public Memory<byte> GetMemory()
    {
        if (_buffer is null)
            _buffer = ArrayPool<byte>.Shared.Rent(MinBuffer);
        else if (_end == _buffer.Length)
            MakeRoom();
        return _buffer.AsMemory(_end);
    }

    /// <summary>Adds received bytes.</summary>
    /// <param name="count">The number of bytes that were written to the memory.</param>
    public void Advance(int count) => _end += count;

    /// <summary>Parses up to the end of the next block that has data or changes the id.</summary>
    /// <param name="frame">The frame.</param>
    /// <returns>False if more bytes are needed.</returns>
    /// <exception cref="InvalidDataException">The block is longer than the limit.</exception>
    public bool TryRead(out SseFrame frame)
    {
        while (TryReadLine(out var line))
        {
            if (!line.IsEmpty)
                Field(line);
            else if (EndBlock(out frame))
                return true;
        }
        if (_end - _start + (_data?.WrittenCount ?? 0) > maxFrame)
            throw new InvalidDataException($"A frame of the stream is longer than {maxFrame} bytes. Raise MaxEventBytes to receive it.");
        if (IsEmpty)
            ReturnBuffer();
        frame = default;
        return false;
    }

    public void Dispose() => ReturnBuffer();

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(_buffer!.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void ReturnBuffer()
    {
        if (_buffer is null)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (null, 0, 0);
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (!SkipStart())
            return false;
        var rest = _buffer.AsSpan(_start, _end - _start);
        if (_skipsLineFeed && !rest.IsEmpty)
        {
            _skipsLineFeed = false;
            if (rest[0] == LineFeed)
            {
                _start++;
                rest = rest[1..];
            }
        }
        var length = rest.IndexOfAny(LineFeed, CarriageReturn);
        if (length < 0)
            return false;
        // A CR ends its line at once. Waiting for a possible LF would delay the last event.
        _skipsLineFeed = rest[length] == CarriageReturn;
        _start += length + 1;
        line = rest[..length];
        return true;
    }

    // One byte order mark at the start of the stream is no part of the first line. Its three bytes may arrive one by one.
    private bool SkipStart()
    {
        if (!_isAtStart)
            return true;
        ReadOnlySpan<byte> mark = Encoding.UTF8.Preamble;
        var head = _buffer.AsSpan(_start, Math.Min(mark.Length, _end - _start));
        if (!mark.StartsWith(head))
        {
            _isAtStart = false;
            return true;
        }
        if (head.Length < mark.Length)
            return false;
        _start += mark.Length;
        _isAtStart = false;
        return true;
    }

    private void Field(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon == 0)
            return;
        var field = colon < 0 ? line : line[..colon];
        var value = colon < 0 ? default : line[(colon + 1)..];
        if (!value.IsEmpty && value[0] == (byte)' ')
            value = value[1..];
        if (field.SequenceEqual("data"u8))
            Append(value);
        else if (field.SequenceEqual("event"u8))
            _type = Text(value);
        else if (field.SequenceEqual("id"u8))
            _id = value.Contains((byte)0) ? _id : Text(value);
        else if (field.SequenceEqual("topic"u8))
            _topic = Text(value);
        else if (field.SequenceEqual("also"u8))
            (_also ??= []).Add(Text(value));
        else if (field.SequenceEqual("format"u8))
            _format = Text(value);
        else if (field.SequenceEqual("control"u8))
            _control = Text(value);
        else if (field.SequenceEqual("retry"u8))
            Retry = Milliseconds(value) ?? Retry;
    }

    private void Append(ReadOnlySpan<byte> value)
    {
        _data ??= new ArrayBufferWriter<byte>(Math.Max(256, value.Length));
        if (_hasData)
            _data.Write("\n"u8);
        _data.Write(value);
        _hasData = true;
        if (_data.WrittenCount > maxFrame)
            throw new InvalidDataException($"An event has more than {maxFrame} bytes. Raise MaxEventBytes to receive it.");
    }

    private bool EndBlock(out SseFrame frame)
    {
        var hasMoved = !string.Equals(LastEventId, _id, StringComparison.Ordinal);
        LastEventId = _id;
        frame = new SseFrame(
            string.IsNullOrEmpty(_type) ? "message" : _type,
            _id,
            _topic,
            _control,
            _hasData ? _data!.WrittenSpan.ToArray() : null
        )
        {
            Also = _also,
            Format = _format,
        };
        (_type, _topic, _control, _also, _format) = (null, null, null, null, null);
        // The buffer is as large as the largest event: an idle stream does not keep it.
        if (_data is { Capacity: > MinBuffer })
            _data = null;
        _data?.ResetWrittenCount();
        var isFrame = _hasData || hasMoved;
        _hasData = false;
        return isFrame;
    }

    private static TimeSpan? Milliseconds(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.Length > 9 || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;
        var number = 0;
        foreach (var digit in value)
            number = (number * 10) + (digit - (byte)'0');
        return TimeSpan.FromMilliseconds(number);
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value);
}
