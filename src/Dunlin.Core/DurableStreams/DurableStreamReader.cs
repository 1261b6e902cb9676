using System.Runtime.InteropServices;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>A message of a JSON stream, or an append of any other one. Immutable.</summary>
/// <param name="Offset">The offset. A reader continues after it.</param>
/// <param name="Data">The data, joined if it was stored in pieces.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct StreamItem(long Offset, ReadOnlyMemory<byte> Data);

/// <summary>A page of a stream. Immutable.</summary>
/// <param name="Stream">The stream as it was before the page was read.</param>
/// <param name="Items">The messages or appends, in order.</param>
/// <param name="Next">The offset after which the next page starts.</param>
/// <param name="HasMore">Whether the stream has more data after <paramref name="Next"/>.</param>
/// <param name="IsTrimmed">Whether data after the requested offset was trimmed. The page is then empty.</param>
public sealed record StreamPage(StreamState Stream, IReadOnlyList<StreamItem> Items, long Next, bool HasMore, bool IsTrimmed)
{
    /// <summary>Gets whether the stream is closed and this page has its last data.</summary>
    public bool IsEnd => Stream.IsClosed && !HasMore && !IsTrimmed;
}

/// <summary>Reads durable streams. Thread-safe.</summary>
public sealed class DurableStreamReader
{
    private readonly IStore _store;
    private readonly IJournal _journal;

    internal DurableStreamReader(IStore store, IJournal journal) => (_store, _journal) = (store, journal);

    /// <summary>Returns a stream; null if there is none, or it has ended. A deleted stream is returned while it has forks.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="NotSupportedException">The store has no streams.</exception>
    public async ValueTask<StreamState?> FindAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var (row, now) = await _store.ReadAsync(
            async (scope, ct) => (await StreamScopeExtensions.TableOf(scope).FindAsync(topic, ct), scope.Now),
            cancellationToken
        );
        if (row is null or { Status: StreamStatus.Removed } || (row.Status == StreamStatus.Live && row.HasExpired(now)))
            return null;
        // The snapshot may have events that this node's pages do not have yet.
        if (row.LastEvent > _journal.Head.Offset)
            row = row.AsOf((await _journal.ReadHeadAsync(cancellationToken)).Offset);
        return new StreamState(row) { ReadAt = now };
    }

    /// <summary>Reads a page of a stream, and counts as a read for its time to live.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="after">The offset after which the page starts; -1 for the beginning of what is stored.</param>
    /// <param name="maxBytes">The page ends with the message or append with which its data reaches this size. Default: 1 MiB.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The page, without data if the stream is deleted; null if there is no stream.</returns>
    public async ValueTask<StreamPage?> ReadAsync(
        TopicName topic,
        long after,
        int maxBytes = 1024 * 1024,
        CancellationToken cancellationToken = default
    )
    {
        if (await FindAsync(topic, cancellationToken) is not { } stream)
            return null;
        if (stream.IsDeleted)
            return new StreamPage(stream, [], after, HasMore: false, IsTrimmed: false);
        await TouchAsync(stream, cancellationToken);
        return await ReadAsync(stream, after, maxBytes, cancellationToken);
    }

    /// <summary>Counts as a read for the time to live of a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="cancellationToken">Cancels the change.</param>
    public async ValueTask TouchAsync(StreamState stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.Row.Touched(stream.ReadAt) != stream.Row)
            await _store.WriteAsync((unit, ct) => unit.Streams.TouchAsync(stream.Topic, ct), cancellationToken);
    }

    /// <summary>Reads a page of a stream that was found before.</summary>
    /// <param name="stream">The stream. Data that was appended later is not read.</param>
    /// <param name="after">The offset after which the page starts; -1 for the beginning of what is stored.</param>
    /// <param name="maxBytes">The page ends with the message or append with which its data reaches this size.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<StreamPage> ReadAsync(
        StreamState stream,
        long after,
        int maxBytes,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(stream);
        var row = stream.Row;
        if (after >= 0 && after < row.TrimmedThrough && after > 0)
            return new StreamPage(stream, [], after, HasMore: false, IsTrimmed: true);
        var start = Math.Max(after, row.TrimmedThrough);
        var items = new List<StreamItem>();
        var (bytes, counted) = (0L, 0);
        foreach (var part in row.SegmentsThrough(row.End))
        {
            var from = Math.Max(start, part.After);
            while (from < part.Through)
            {
                var budget = (int)Math.Max(1, maxBytes - bytes);
                from = await ReadPartAsync(part, from, budget, items, cancellationToken);
                for (; counted < items.Count; counted++)
                    bytes += items[counted].Data.Length;
                if (bytes >= maxBytes && from < row.End)
                    return new StreamPage(stream, items, items[^1].Offset, items[^1].Offset < row.End, IsTrimmed: false);
            }
        }
        return new StreamPage(stream, items, Math.Max(start, row.End), HasMore: false, IsTrimmed: false);
    }

    /// <summary>Resolves <see cref="StreamForkPoint.SubOffset"/> to a place in the data of the source.</summary>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The point with its place. Creating a fork from it fails if the source has no such place.</returns>
    public async ValueTask<StreamForkPoint> ResolveAsync(StreamForkPoint point, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(point);
        if (point.SubOffset <= 0 || await FindAsync(point.Topic, cancellationToken) is not { IsDeleted: false } source)
            return point;
        var (at, left) = (point.Offset ?? source.Tail, point.SubOffset);
        while (true)
        {
            var page = await ReadAsync(source, at, maxBytes: 1, cancellationToken);
            if (page.Items.Count == 0)
                return point;
            foreach (var item in page.Items)
            {
                if (!source.IsJson)
                    return left > item.Data.Length ? point : point with { Resolved = (item.Offset, left == item.Data.Length ? 0 : left) };
                if (--left == 0)
                    return point with { Resolved = (item.Offset, 0) };
                at = item.Offset;
            }
        }
    }

    /// <returns>The offset through which the part was read.</returns>
    private async ValueTask<long> ReadPartAsync(
        StreamSegment part,
        long from,
        int maxBytes,
        List<StreamItem> items,
        CancellationToken cancellationToken
    )
    {
        var topic = TopicName.FromStored(part.Topic);
        List<ReadOnlyMemory<byte>>? pieces = null;
        for (var isContinued = false; ; isContinued = true)
        {
            // A message in pieces is read to its end, also if the page grows beyond its size.
            var query = isContinued ? new JournalQuery(from, [topic], 16) : new JournalQuery(from, [topic], 1_000, maxBytes);
            var page = await _journal.ReadAsync(query, cancellationToken);
            foreach (var entry in page.Events)
            {
                if (entry.Position.Offset > part.Through)
                    return part.Through;
                from = entry.Position.Offset;
                if (entry.Type != StreamEvents.EventType)
                    continue;
                if (StreamEvents.HasMore(entry))
                {
                    (pieces ??= []).Add(entry.Data);
                    continue;
                }
                items.Add(new StreamItem(from, Cut(part, from, Joined(pieces, entry.Data))));
                pieces = null;
                if (isContinued)
                    return from;
            }
            if (pieces is null)
                return page.HasMore ? from : part.Through;
        }
    }

    private static ReadOnlyMemory<byte> Cut(StreamSegment part, long offset, ReadOnlyMemory<byte> data) =>
        part.Cut > 0 && offset == part.Through && part.Cut < data.Length ? data[..part.Cut] : data;

    private static ReadOnlyMemory<byte> Joined(List<ReadOnlyMemory<byte>>? pieces, ReadOnlyMemory<byte> last)
    {
        if (pieces is null)
            return last;
        var joined = new byte[pieces.Sum(static piece => piece.Length) + last.Length];
        var at = 0;
        foreach (var piece in pieces.Append(last))
        {
            piece.CopyTo(joined.AsMemory(at));
            at += piece.Length;
        }
        return joined;
    }
}
