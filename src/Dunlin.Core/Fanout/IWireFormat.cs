using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>
/// The clothing of events on one kind of stream. The engine has four (<see cref="WireFormats"/>); an application may
/// write its own, to give its events the names of its contract. Must be safe for concurrent use and depend on nothing
/// but the event: a frame is encoded once and shared by all connections of the format.
/// </summary>
public interface IWireFormat
{
    /// <summary>Writes the event through <paramref name="frame"/>, or nothing at all to leave it out of these streams.
    /// The <c>id:</c> line and the end of the frame are not the format's business.</summary>
    void Write(DunlinEvent source, FrameWriter frame);
}
