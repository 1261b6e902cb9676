using System.Diagnostics;
using System.Text;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Redis.Backplane;

/// <summary>What is said on the channel.</summary>
/// <param name="Node">Who says it.</param>
/// <param name="Through">The position reached; default for a transient event and for a beat.</param>
/// <param name="Events">The events committed, consecutive; or the one transient event; empty where the position alone is told.</param>
/// <param name="Number">Of a beat, by which the node knows that it hears itself, or of a transient event; else 0.</param>
/// <param name="Commit">The span of the commit; null where it is not traced.</param>
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

/// <summary>The bytes of a <see cref="CommitNotification"/>: version, node, number, epoch, last offset, count, and for each event its
/// topic, type, data, origin and time. A commit that is traced is a version of its own, with the ids of its trace and span before the
/// events. Nodes of another version do not understand each other and read the journal instead.</summary>
internal static class CommitNotificationCodec
{
    private const byte Version = 2;
    private const byte TracedVersion = 3;
    private const int TraceIdLength = 16;
    private const int SpanIdLength = 8;

    public static byte[] Encode(CommitNotification hint)
    {
        using var bytes = new MemoryStream(64 + (256 * hint.Events.Count));
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8))
        {
            writer.Write(hint.Commit is null ? Version : TracedVersion);
            writer.Write(hint.Node);
            writer.Write(hint.Number);
            writer.Write(hint.Through.Epoch);
            writer.Write(hint.Through.Offset);
            writer.Write7BitEncodedInt(hint.Events.Count);
            if (hint.Commit is { } commit)
                Write(writer, commit);
            foreach (var entry in hint.Events)
                Write(writer, entry);
        }
        return bytes.ToArray();
    }

    /// <summary>Whether these bytes are what a node itself has said, and say of events: nothing that it needs to read.</summary>
    public static bool IsEcho(byte[] bytes, string node)
    {
        var head = 2 + node.Length;
        return bytes.Length > head + sizeof(long) + sizeof(uint) + sizeof(long) + 1
            && bytes[0] is Version or TracedVersion
            && bytes[1] == node.Length
            && System.Text.Ascii.Equals(bytes.AsSpan(2, node.Length), node);
    }

    /// <returns>Null where the bytes are not one, of this version.</returns>
    public static CommitNotification? Decode(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
            var version = reader.ReadByte();
            if (version is not (Version or TracedVersion))
                return null;
            var (node, number) = (reader.ReadString(), reader.ReadInt64());
            var through = new Position(reader.ReadUInt32(), reader.ReadInt64());
            var count = reader.Read7BitEncodedInt();
            if (count < 0 || count > bytes.Length || (through == default && count > 1))
                return null;
            var commit = version == TracedVersion ? ReadSpan(reader) : (ActivityContext?)null;
            var events = new DunlinEvent[count];
            for (var i = 0; i < count; i++)
                events[i] = Read(reader, through == default ? default : through with { Offset = through.Offset - count + 1 + i });
            return reader.BaseStream.Position == bytes.Length ? new CommitNotification(node, through, events, number, commit) : null;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException or Diagnostics.DunlinException)
        {
            return null;
        }
    }

    private static void Write(BinaryWriter writer, ActivityContext commit)
    {
        Span<byte> ids = stackalloc byte[TraceIdLength + SpanIdLength];
        commit.TraceId.CopyTo(ids[..TraceIdLength]);
        commit.SpanId.CopyTo(ids[TraceIdLength..]);
        writer.Write(ids);
    }

    // Only sampled commits are told.
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

    private static void Write(BinaryWriter writer, DunlinEvent entry)
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
    }

    private static DunlinEvent Read(BinaryReader reader, Position position)
    {
        var (topic, type) = (TopicName.Parse(reader.ReadString()), reader.ReadString());
        var length = reader.Read7BitEncodedInt();
        var data = reader.ReadBytes(length);
        if (data.Length != length)
            throw new EndOfStreamException();
        var origin = reader.ReadBoolean() ? new EventOrigin(Part(reader), Part(reader), Part(reader), Part(reader)) : null;
        // Made through a draft for its checks of the type. A reserved type is taken here: the engine of another node sends those.
        var draft = EventDraft.OfEngine(topic, type, (ReadOnlyMemory<byte>)data, origin);
        return new DunlinEvent(
            position,
            draft.Topic,
            draft.Type,
            draft.Data,
            draft.Origin,
            new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero)
        );
    }

    private static string? Part(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;
}
