using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>Where a stream begins.</summary>
/// <param name="Position">Updates after it follow.</param>
/// <param name="Id">The id before the first update, or <c>earliest</c>, for the response header; null if the request named no id.</param>
internal readonly record struct StreamStart(Position Position, string? Id);

/// <summary>Translates ids of updates to positions and back: the Mercure protocol, section Reconciliation. Thread-safe.</summary>
internal sealed class StreamStarts(EventFanout fanout, IJournal journal)
{
    public const string Earliest = "earliest";

    private const int MaxLength = 2_048;

    /// <summary>Finds the start of a stream.</summary>
    /// <param name="id">The id to resume after; null for new updates only. An unknown id begins with the oldest stored update.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async ValueTask<StreamStart> FindAsync(string? id, CancellationToken cancellationToken)
    {
        if (id is null)
            return new StreamStart((await fanout.LocateAsync(null, cancellationToken)).Start, null);
        var first = fanout.DeliveredHead with { Offset = 0 };
        if (id == Earliest || id.Length is 0 or > MaxLength || !TopicText.IsValid(id))
            return new StreamStart(first, Earliest);
        var position = await PositionOfAsync(id, cancellationToken);
        // Another node may have appended the update: LocateAsync then reads the head of the store.
        if (position is not { Offset: > 0 } known || (await fanout.LocateAsync(known, cancellationToken)).Reset is not null)
            return new StreamStart(first, Earliest);
        // An update that was removed is no id any more, but its place still tells which updates followed.
        return new StreamStart(known, await FindEventAsync(known, cancellationToken) is null ? Earliest : id);
    }

    /// <summary>Returns the id of the last update that this node has delivered; <c>earliest</c> before the first one.</summary>
    public async ValueTask<string> LastIdAsync(CancellationToken cancellationToken)
    {
        var head = fanout.DeliveredHead;
        return head.Offset == 0 ? Earliest : MercureFormat.IdOf((await FindEventAsync(head, cancellationToken))?.ForeignId, head);
    }

    private async ValueTask<Position?> PositionOfAsync(string id, CancellationToken cancellationToken) =>
        await journal.FindAsync(id, cancellationToken) is { } found ? found
        : id[0] == '#' && Position.TryParse(id.AsSpan(1), out var position) ? position
        : null;

    private async ValueTask<DunlinEvent?> FindEventAsync(Position position, CancellationToken cancellationToken)
    {
        var page = await journal.ReadAsync(new JournalQuery(position.Offset - 1, null, Limit: 1), cancellationToken);
        return page.Events is [var entry] && entry.Position == position ? entry : null;
    }
}
