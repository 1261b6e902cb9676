using System.Runtime.CompilerServices;
using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>Encodes an event once per wire format and stores the bytes with the event. Thread-safe.</summary>
internal static class EventFrames
{
    /// <summary>Returns the bytes of an event in a wire format. The first call encodes them.</summary>
    /// <param name="entry">The event.</param>
    /// <param name="format">The wire format.</param>
    /// <param name="failed">Called once per event and format if the format throws.</param>
    /// <returns>The frame. Empty if the format omits the event or throws, or if the event has a forged reserved type.</returns>
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

    // Only this class sets Frames, so the type is certain; a checked cast would cost time on every delivery.
    private static Frame? Find(DunlinEvent entry, IWireFormat format)
    {
        for (var frame = Unsafe.As<Frame?>(entry.Frames); frame is not null; frame = frame.Next)
        {
            if (ReferenceEquals(frame.Format, format))
                return frame;
        }
        return null;
    }

    // An exception of one format must not stop the delivery loop.
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
#pragma warning disable CA1031 // the format is application code
        catch (Exception error)
#pragma warning restore CA1031
        {
            failed?.Invoke(entry, format, error);
            return ReadOnlyMemory<byte>.Empty;
        }
    }

    /// <summary>One encoded frame, in a linked list: an event rarely has more than two formats.</summary>
    private sealed record Frame(IWireFormat Format, ReadOnlyMemory<byte> Bytes, Frame? Next);
}
