using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>Encodes events for one kind of stream. Must be thread-safe.</summary>
/// <remarks>
/// <see cref="WireFormats"/> has the formats of the engine. An application may implement its own. The output must depend on the event only:
/// a frame is encoded once and shared by all connections of the format.
/// </remarks>
public interface IWireFormat
{
    /// <summary>Writes an event. Writes nothing to omit the event from these streams.</summary>
    /// <remarks>The engine writes the <c>id:</c> line and the end of the frame.</remarks>
    /// <param name="source">The event.</param>
    /// <param name="frame">The frame to write to.</param>
    void Write(DunlinEvent source, FrameWriter frame);
}

/// <summary>A wire format of a protocol with ids of its own. The engine writes them in place of positions.</summary>
internal interface IEventIds
{
    /// <summary>Returns the id of an event; null for none.</summary>
    string? IdOf(DunlinEvent source);
}

/// <summary>A wire format of a protocol whose streams end with an event.</summary>
internal interface IEndingFormat
{
    /// <summary>Returns whether a stream ends after an event. Must depend on the event only.</summary>
    bool EndsAfter(DunlinEvent source);
}

/// <summary>A wire format that writes whole frames itself, without the engine's <c>id:</c> line and end of the frame.</summary>
internal interface IRawFormat : IWireFormat
{
    /// <summary>Returns the bytes of an event; empty to omit it.</summary>
    ReadOnlyMemory<byte> Encode(DunlinEvent source);

    void IWireFormat.Write(DunlinEvent source, FrameWriter frame) => throw new NotSupportedException("The format writes whole frames.");
}
