using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>What one user has caused lately. Each rate is a leaky bucket, kept as the time at which it will be empty.</summary>
/// <param name="EmptyAt">Pages to read.</param>
/// <param name="RefreshesEmptyAt">Pages to read again.</param>
/// <param name="ListsEmptyAt">Lists that were made.</param>
/// <param name="Waiting">Pages whose jobs have not ended.</param>
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

    /// <summary>Adds one to a bucket.</summary>
    /// <returns>When the bucket will be empty, and how long until the one that was added has <paramref name="burst"/> before it at
    /// most.</returns>
    public static (DateTimeOffset EmptyAt, TimeSpan Wait) Add(DateTimeOffset emptyAt, DateTimeOffset now, TimeSpan interval, int burst)
    {
        var from = emptyAt > now ? emptyAt : now;
        var turn = from - (interval * burst);
        return (from + interval, turn > now ? turn - now : TimeSpan.Zero);
    }
}
