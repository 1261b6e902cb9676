using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Records;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>What a job of reading an item's page carries.</summary>
internal sealed record ResolveOrder(string ItemId, string WishlistId, string Url);

/// <summary>Asks for pages to be read, in the unit of work of the change that wants it.</summary>
internal static class ResolveQueue
{
    public const string JobType = "wishlists.resolve";

    // One user cannot make this server a nuisance to others: so many at once, and then one every so often.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private const int Burst = 20;

    public static async ValueTask EnqueueAsync(IUnitOfWork unit, RecordWriter records, ItemDocument item, string userId, CancellationToken cancellationToken) =>
        await unit.Jobs().EnqueueAsync(
            JobType, new ResolveOrder(item.Id, item.WishlistId, item.SourceUrl!),
            // Replaced, so that a run for an address that is no longer the item's can write nothing.
            new JobRequest { Id = item.Id, Replace = true, DueAt = await TurnAsync(unit, records, userId, cancellationToken) }, cancellationToken);

    public static ValueTask<bool> CancelAsync(IUnitOfWork unit, string itemId, CancellationToken cancellationToken) =>
        unit.Jobs().CancelAsync(JobType, itemId, cancellationToken);

    /// <summary>When the user's next page may be fetched: a leaky bucket, kept as the time at which it will be empty.</summary>
    private static async ValueTask<DateTimeOffset> TurnAsync(IUnitOfWork unit, RecordWriter records, string userId, CancellationToken cancellationToken)
    {
        var emptyAt = (await records.FindAsync<FetchTurns>(WishlistSpaces.Fetches, userId, cancellationToken))?.EmptyAt ?? unit.Now;
        var from = emptyAt > unit.Now ? emptyAt : unit.Now;
        await records.PutAsync(WishlistSpaces.Fetches, userId, new FetchTurns(from + Interval), cancellationToken: cancellationToken);
        var turn = from - (Interval * Burst);
        return turn > unit.Now ? turn : unit.Now;
    }

    private sealed record FetchTurns(DateTimeOffset EmptyAt);
}
