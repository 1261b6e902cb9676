using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// The durable ordered log of events: the single source of order. The implementer's duty:
/// <list type="bullet">
/// <item>Offsets start at 1, grow by one per event, and become visible to readers in that order: a reader that has seen
/// offset n has seen, or been able to see, every offset below n. An append that fails leaves no gap that could be
/// filled later.</item>
/// <item>A completed append is durable: a crash right after it loses nothing.</item>
/// <item>Events of one append stand together: all or none, consecutive.</item>
/// <item>After a commit, and in commit order, the events are handed to <see cref="CommitFeed"/>.</item>
/// <item>All members may be called concurrently. Cancelling an append before its commit abandons it; a cancelled append
/// that was already being committed may or may not have happened (the idempotency key tells).</item>
/// </list>
/// </summary>
public interface IJournal
{
    /// <summary>The position of the last committed event that readers may see, as far as this node knows. Cheap: no I/O.</summary>
    Position Head { get; }

    /// <summary>The position of the last committed event that readers may see, as the store has it now: another node may have
    /// committed what this one has not heard of. <see cref="Head"/> is at least there afterwards.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>.</exception>
    ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) => new(Head);

    /// <summary>Appends events outside any other change, as one transaction.</summary>
    /// <param name="drafts">One to <see cref="JournalLimits.MaxEventsPerAppend"/>.</param>
    /// <param name="idempotency">Makes a repeated append answer with the positions of the first; null to append always.</param>
    /// <param name="cancellationToken">Abandons the append if its commit has not begun.</param>
    /// <returns>The position of each event, in order.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.IdempotencyKeyReused"/>, <see cref="ErrorCode.StoreUnavailable"/>, <see
    /// cref="ErrorCode.OutcomeUnknown"/>,
    /// <see cref="ErrorCode.TooLarge"/>.</exception>
    ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    );

    /// <summary>Reads a page of events in order.</summary>
    ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken);

    /// <summary>Removes what the retention rules no longer keep, in slices that do not hold up writers.</summary>
    /// <returns>The number of events removed.</returns>
    ValueTask<long> TrimAsync(CancellationToken cancellationToken);
}

/// <summary>Hard bounds of every journal; each guards the memory of readers and the time a writer holds the store.</summary>
public static class JournalLimits
{
    /// <summary>Events in one append: bounds how long one request holds the writer.</summary>
    public const int MaxEventsPerAppend = 1_000;

    /// <summary>Bytes of data of one event. The publish endpoint takes less (64 KiB by default).</summary>
    public const int MaxDataBytes = 1024 * 1024;

    /// <summary>Events in one page: bounds the memory of one catch-up step.</summary>
    public const int MaxPageEvents = 1_000;
}

/// <summary>Identifies one request of one caller, so that its repetition is recognised.</summary>
/// <param name="Scope">Whose key it is, usually the user id: keys of different scopes never meet.</param>
/// <param name="Key">The caller's key, 1 to 100 characters.</param>
public sealed record IdempotencyKey(string Scope, string Key);

/// <summary>What to read.</summary>
/// <param name="After">Read from the event after this offset.</param>
/// <param name="Topics">The topics wanted, beside those of <see cref="Patterns"/>; null for all.</param>
/// <param name="Limit">At most so many events, 1 to <see cref="JournalLimits.MaxPageEvents"/>.</param>
/// <param name="MaxBytes">Stop after the event that reaches this sum of data bytes.</param>
public sealed record JournalQuery(long After, IReadOnlyList<TopicName>? Topics, int Limit = 256, int MaxBytes = 256 * 1024)
{
    /// <summary>Every topic that one of them covers is wanted as well, whether or not it existed when the reading began.</summary>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>Throws where a value is out of its range; for implementers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Which value, and its range.</exception>
    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(After);
        ArgumentOutOfRangeException.ThrowIfLessThan(Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Limit, JournalLimits.MaxPageEvents);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 1);
    }
}

/// <summary>A page of events.</summary>
/// <param name="Events">In order.</param>
/// <param name="Through">Everything wanted up to this offset is in the page (or was in earlier ones): the next page starts after it.
/// At least the last event's offset; the head where nothing more is wanted. With patterns it may lie after the last event, in an empty page
/// too: a reading that must look at events of other topics looks at so many and no more.</param>
/// <param name="HasMore">Whether events after <paramref name="Through"/> were already known.</param>
/// <param name="Trimmed">Whether events wanted were already removed by retention: the page has a gap at its beginning.</param>
public sealed record JournalPage(IReadOnlyList<DunlinEvent> Events, long Through, bool HasMore, bool Trimmed);
