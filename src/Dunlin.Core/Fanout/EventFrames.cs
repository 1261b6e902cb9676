using System.Runtime.CompilerServices;
using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>Encodes an event once for each wire format and keeps the bytes with the event. Safe for concurrent use.</summary>
internal static class EventFrames
{
    /// <summary>Returns the bytes of an event in one wire format; the first call encodes them.</summary>
    /// <param name="entry">The event.</param>
    /// <param name="format">The format.</param>
    /// <param name="failed">Called once for each event and format that throws.</param>
    /// <returns>An empty frame where the format leaves the event out or throws, and where a forged event has a reserved type.</returns>
    public static ReadOnlyMemory<byte> FrameFor(
        this DunlinEvent entry,
        IWireFormat format,
        Action<DunlinEvent, IWireFormat, Exception>? failed = null
    ) => Find(entry, format) is { } known ? known.Bytes : Encode(entry, format, failed);

    private static ReadOnlyMemory<byte> Encode(DunlinEvent entry, IWireFormat format, Action<DunlinEvent, IWireFormat, Exception>? failed)
    {
        lock (entry.Encoding)
        {
            if (Find(entry, format) is { } known)
                return known.Bytes;
            var bytes = ReservedTypes.IsForged(entry) ? ReadOnlyMemory<byte>.Empty : TryEncode(entry, format, failed);
            entry.Frames = new Frame(format, bytes, Unsafe.As<Frame?>(entry.Frames));
            return bytes;
        }
    }

    // Only this class sets the frames, so the type is certain; the cast would cost on every delivery.
    private static Frame? Find(DunlinEvent entry, IWireFormat format)
    {
        for (var frame = Unsafe.As<Frame?>(entry.Frames); frame is not null; frame = frame.Next)
        {
            if (ReferenceEquals(frame.Format, format))
                return frame;
        }
        return null;
    }

    // A format that throws must not end the loop that delivers all other events.
    private static ReadOnlyMemory<byte> TryEncode(
        DunlinEvent entry,
        IWireFormat format,
        Action<DunlinEvent, IWireFormat, Exception>? failed
    )
    {
        try
        {
            return FrameWriter.Encode(format, entry);
        }
#pragma warning disable CA1031 // a format is code of the application
        catch (Exception error)
#pragma warning restore CA1031
        {
            failed?.Invoke(entry, format, error);
            return ReadOnlyMemory<byte>.Empty;
        }
    }

    /// <summary>One encoded frame. A linked list: an event rarely has more than two formats.</summary>
    private sealed record Frame(IWireFormat Format, ReadOnlyMemory<byte> Bytes, Frame? Next);
}
