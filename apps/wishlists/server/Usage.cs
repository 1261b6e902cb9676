using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>One user's recent usage. Each rate is a leaky bucket, stored as the time at which it will be empty.</summary>
/// <param name="EmptyAt">The bucket of pages to read.</param>
/// <param name="RefreshesEmptyAt">The bucket of pages to read again.</param>
/// <param name="ListsEmptyAt">The bucket of created lists.</param>
/// <param name="Waiting">Number of pages whose jobs have not ended.</param>
internal sealed record Usage(
    DateTimeOffset EmptyAt = default,
    DateTimeOffset RefreshesEmptyAt = default,
    DateTimeOffset ListsEmptyAt = default,
    int Waiting = 0
)
{
    public static async ValueTask<Usage> OfAsync(RecordWriter records, string userId, CancellationToken cancellationToken) =>
        await records.FindAsync<Usage>(WishlistSpaces.Fetches, userId, cancellationToken) ?? new Usage();

    public async ValueTask SaveAsync(RecordWriter records, string userId, CancellationToken cancellationToken) =>
        await records.PutAsync(WishlistSpaces.Fetches, userId, this, cancellationToken: cancellationToken);

    /// <summary>Adds one unit to a bucket.</summary>
    /// <returns>When the bucket will be empty, and the delay until at most <paramref name="burst"/> units precede the added one.</returns>
    public static (DateTimeOffset EmptyAt, TimeSpan Wait) Add(DateTimeOffset emptyAt, DateTimeOffset now, TimeSpan interval, int burst)
    {
        var from = emptyAt > now ? emptyAt : now;
        var turn = from - (interval * burst);
        return (from + interval, turn > now ? turn - now : TimeSpan.Zero);
    }
}
