using System.Buffers.Text;
using System.Diagnostics;
using System.Text;

namespace Dunlin.Apps.Load;

/// <summary>
/// The data of an event: <c>"dunlin-load RUN PUBLISHER NUMBER TICKS xxx…"</c>. Readers find it without parsing JSON. The time is of this
/// process's clock, so no clocks are compared.
/// </summary>
public static class Payload
{
    private static readonly byte[] Mark = Encoding.ASCII.GetBytes("dunlin-load ");

    public static string Body(long run, string topic, int publisher, long number, int size)
    {
        var head = FormattableString.Invariant($"dunlin-load {run} {publisher} {number} {Stopwatch.GetTimestamp()} ");
        return FormattableString.Invariant(
            $$"""{"topic":"{{topic}}","type":"load","data":"{{head}}{{new string('x', Math.Max(0, size - head.Length - 2))}}"}"""
        );
    }

    /// <summary>Reads a line of a stream; false if it is no event of this run.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, long run, out int publisher, out long number, out long sentAt)
    {
        (publisher, number, sentAt) = (0, 0, 0);
        var at = line.IndexOf(Mark);
        if (at < 0)
            return false;
        line = line[(at + Mark.Length)..];
        if (!TryNumber(ref line, out var from) || from != run || !TryNumber(ref line, out var index))
            return false;
        publisher = (int)index;
        return TryNumber(ref line, out number) && TryNumber(ref line, out sentAt);
    }

    private static bool TryNumber(ref ReadOnlySpan<byte> text, out long value)
    {
        if (!Utf8Parser.TryParse(text, out value, out var length) || length >= text.Length)
            return false;
        text = text[(length + 1)..];
        return true;
    }
}
