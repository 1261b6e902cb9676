using System.Diagnostics;
using System.Text;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Redis.Backplane;

/// <summary>A message on the channel. Immutable.</summary>
/// <param name="Node">The id of the sender.</param>
/// <param name="Through">The last committed position. Default for a transient event and for a heartbeat.</param>
/// <param name="Events">The committed events, consecutive; or the one transient event. Empty if the message contains the position
/// only.</param>
/// <param name="Number">The number of a heartbeat or of a transient event; otherwise 0.</param>
/// <param name="Commit">The span of the commit. Null if the commit is not traced.</param>
internal sealed record CommitNotification(
    string Node,
    Position Through,
    IReadOnlyList<DunlinEvent> Events,
    long Number = 0,
    ActivityContext? Commit = null
)
{
    public bool IsTransient => Through == default && Events.Count == 1;

    public bool IsBeat => Through == default && Events.Count == 0;
}

/// <summary>Encodes and decodes a <see cref="CommitNotification"/>: version, node, number, epoch, last offset, count, and topic, type,
/// data, origin and time of each event.</summary>
/// <remarks>A traced commit has a separate version, with the ids of its trace and span before the events. So have events with several
/// topics or other extra values, which follow each event. Nodes of different versions
/// ignore each other's messages and read the journal instead.</remarks>
internal static class CommitNotificationCodec
{
    private const byte Version = 2;
    private const byte TracedVersion = 3;
    private const byte ExtraFlag = 4; // versions 6 and 7: each event ends with its extra values
    private const int TraceIdLength = 16;
    private const int SpanIdLength = 8;

    public static byte[] Encode(CommitNotification hint)
    {
        using var bytes = new MemoryStream(64 + (256 * hint.Events.Count));
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8))
        {
            var hasExtras = hint.Events.Any(static entry => entry.Extra is not null);
            writer.Write((byte)((hint.Commit is null ? Version : TracedVersion) | (hasExtras ? ExtraFlag : 0)));
            writer.Write(hint.Node);
            writer.Write(hint.Number);
            writer.Write(hint.Through.Epoch);
            writer.Write(hint.Through.Offset);
            writer.Write7BitEncodedInt(hint.Events.Count);
            if (hint.Commit is { } commit)
                Write(writer, commit);
            foreach (var entry in hint.Events)
                Write(writer, entry, hasExtras);
        }
        return bytes.ToArray();
    }

    /// <summary>Returns whether a node has sent this message itself and the message contains events, so that the node need not decode
    /// it.</summary>
    public static bool IsEcho(byte[] bytes, string node)
    {
        var head = 2 + node.Length;
        return bytes.Length > head + sizeof(long) + sizeof(uint) + sizeof(long) + 1
            && IsKnown(bytes[0])
            && bytes[1] == node.Length
            && System.Text.Ascii.Equals(bytes.AsSpan(2, node.Length), node);
    }

    /// <returns>The message, or null if the bytes are not a message of this version.</returns>
    public static CommitNotification? Decode(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
            var version = reader.ReadByte();
            if (!IsKnown(version))
                return null;
            var (node, number) = (reader.ReadString(), reader.ReadInt64());
            var through = new Position(reader.ReadUInt32(), reader.ReadInt64());
            var count = reader.Read7BitEncodedInt();
            if (count < 0 || count > bytes.Length || (through == default ? count > 1 : through.Offset < count) || number < 0)
                return null;
            var commit = (version & ~ExtraFlag) == TracedVersion ? ReadSpan(reader) : (ActivityContext?)null;
            var events = new DunlinEvent[count];
            for (var i = 0; i < count; i++)
                events[i] = Read(
                    reader,
                    through == default ? default : through with { Offset = through.Offset - count + 1 + i },
                    (version & ExtraFlag) != 0
                );
            return reader.BaseStream.Position == bytes.Length ? new CommitNotification(node, through, events, number, commit) : null;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException or Diagnostics.DunlinException)
        {
            return null;
        }
    }

    private static bool IsKnown(byte version) => (version & ~ExtraFlag) is Version or TracedVersion;

    private static void Write(BinaryWriter writer, ActivityContext commit)
    {
        Span<byte> ids = stackalloc byte[TraceIdLength + SpanIdLength];
        commit.TraceId.CopyTo(ids[..TraceIdLength]);
        commit.SpanId.CopyTo(ids[TraceIdLength..]);
        writer.Write(ids);
    }

    // Only sampled commits are encoded.
    private static ActivityContext ReadSpan(BinaryReader reader)
    {
        Span<byte> ids = stackalloc byte[TraceIdLength + SpanIdLength];
        reader.BaseStream.ReadExactly(ids);
        if (!ids[..TraceIdLength].ContainsAnyExcept((byte)0) || !ids[TraceIdLength..].ContainsAnyExcept((byte)0))
            throw new FormatException("The ids of a span are not zero.");
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(ids[..TraceIdLength]),
            ActivitySpanId.CreateFromBytes(ids[TraceIdLength..]),
            ActivityTraceFlags.Recorded,
            isRemote: true
        );
    }

    private static void Write(BinaryWriter writer, DunlinEvent entry, bool hasExtra)
    {
        writer.Write(entry.Topic.Value);
        writer.Write(entry.Type);
        writer.Write7BitEncodedInt(entry.Data.Length);
        writer.Write(entry.Data.Span);
        writer.Write(entry.Origin is not null);
        if (entry.Origin is { } origin)
        {
            foreach (var part in (ReadOnlySpan<string?>)[origin.UserId, origin.SessionId, origin.ConnectionId, origin.DeviceId])
            {
                writer.Write(part is not null);
                if (part is not null)
                    writer.Write(part);
            }
        }
        writer.Write(entry.Time.UtcTicks);
        if (!hasExtra)
            return;
        var extra = entry.EncodedExtra ?? [];
        writer.Write7BitEncodedInt(extra.Length);
        writer.Write(extra);
    }

    private static DunlinEvent Read(BinaryReader reader, Position position, bool hasExtra)
    {
        var (topic, type) = (TopicName.FromStored(reader.ReadString()), reader.ReadString());
        var data = Bytes(reader);
        var origin = reader.ReadBoolean() ? new EventOrigin(Part(reader), Part(reader), Part(reader), Part(reader)) : null;
        var time = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var extra = hasExtra ? EventExtra.Decode(Bytes(reader)) : null;
        // A draft checks the type. It accepts reserved types, because the engine of another node sends them.
        return new DunlinEvent(position, EventDraft.OfEngine(topic, type, (ReadOnlyMemory<byte>)data, origin, extra), time);
    }

    // The reader allocates the whole length before it reads. A length that the notification cannot have must not allocate.
    private static byte[] Bytes(BinaryReader reader)
    {
        var length = reader.Read7BitEncodedInt();
        return length >= 0 && length <= reader.BaseStream.Length - reader.BaseStream.Position
            ? reader.ReadBytes(length)
            : throw new EndOfStreamException();
    }

    private static string? Part(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;
}
