using System.Buffers;
using System.Text;

namespace Dunlin.DurableStreams.Reading;

/// <summary>Writes the events <c>data</c> and <c>control</c> of the protocol. Not thread-safe.</summary>
/// <remarks>HTML Living Standard, section 9.2 (server-sent events). LF, CR and CR LF in text begin a new <c>data:</c> line.</remarks>
internal sealed class EventBuffer(StreamKind kind)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    /// <summary>Gets a copy of the bytes, which readers may share.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.WrittenSpan.ToArray();

    /// <summary>Writes messages or appends as one event.</summary>
    public void Data(IReadOnlyList<StreamItem> items)
    {
        Begin();
        if (kind == StreamKind.Binary)
        {
            Base64(Join(items));
        }
        else
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (kind == StreamKind.Json && i > 0)
                    _bytes.Write(",\ndata:"u8);
                // Appends of text are one text: only the first begins a line.
                Lines(
                    items[i].Data.Span,
                    isStart: kind == StreamKind.Json || i == 0,
                    isEnd: kind == StreamKind.Json || i == items.Count - 1
                );
            }
        }
        End();
    }

    /// <summary>Begins an event of which more data follows.</summary>
    public void Begin() => _bytes.Write(kind == StreamKind.Json ? "event: data\ndata:[\ndata:"u8 : "event: data\ndata:"u8);

    /// <summary>Writes data of an event that has begun.</summary>
    /// <param name="data">The data.</param>
    /// <param name="isStart">Whether it is the beginning of a message.</param>
    /// <param name="isEnd">Whether it is the end of a message.</param>
    public void Piece(ReadOnlySpan<byte> data, bool isStart, bool isEnd)
    {
        if (kind == StreamKind.Binary)
            Base64(data);
        else
            Lines(data, isStart, isEnd);
    }

    /// <summary>Ends an event.</summary>
    public void End() => _bytes.Write(kind == StreamKind.Json ? "\ndata:]\n\n"u8 : "\n\n"u8);

    /// <summary>Writes a control event.</summary>
    /// <param name="offset">The offset to continue after.</param>
    /// <param name="cursor">The cursor; null for a closed stream.</param>
    /// <param name="isUpToDate">Whether the reader has everything.</param>
    public void Control(string offset, string? cursor, bool isUpToDate)
    {
        _bytes.Write("event: control\ndata:{\"streamNextOffset\":\""u8);
        Encoding.ASCII.GetBytes(offset, _bytes);
        if (cursor is null)
        {
            _bytes.Write("\",\"upToDate\":true,\"streamClosed\":true}\n\n"u8);
            return;
        }
        _bytes.Write("\",\"streamCursor\":\""u8);
        Encoding.ASCII.GetBytes(cursor, _bytes);
        _bytes.Write(isUpToDate ? "\",\"upToDate\":true}\n\n"u8 : "\"}\n\n"u8);
    }

    private static byte[] Join(IReadOnlyList<StreamItem> items)
    {
        var all = new byte[items.Sum(static item => item.Data.Length)];
        var at = 0;
        foreach (var item in items)
        {
            item.Data.CopyTo(all.AsMemory(at));
            at += item.Data.Length;
        }
        return all;
    }

    private void Base64(ReadOnlySpan<byte> data)
    {
        var text = _bytes.GetSpan(Base64Length(data.Length));
        System.Buffers.Text.Base64.EncodeToUtf8(data, text, out _, out var written);
        _bytes.Advance(written);
    }

    private static int Base64Length(int bytes) => Math.Max(1, System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes));

    /// <remarks>A reader removes one space after the colon, so a line that begins with a space gets another one.</remarks>
    private void Lines(ReadOnlySpan<byte> utf8, bool isStart = true, bool isEnd = true)
    {
        if (isStart)
            BeginLine(utf8);
        while (utf8.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var end)
        {
            _bytes.Write(utf8[..end]);
            var isPair = utf8[end] == '\r' && end + 1 < utf8.Length && utf8[end + 1] == '\n';
            utf8 = utf8[(end + (isPair ? 2 : 1))..];
            _bytes.Write("\ndata:"u8);
            // The beginning of the next piece is not known here.
            if (utf8.IsEmpty && !isEnd)
                _bytes.Write(" "u8);
            else
                BeginLine(utf8);
        }
        _bytes.Write(utf8);
    }

    private void BeginLine(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith(" "u8))
            _bytes.Write(" "u8);
    }
}
