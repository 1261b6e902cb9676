using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>The durable ordered log of events. Defines the order of all events. Thread-safe.</summary>
/// <remarks>
/// An implementation must guarantee:
/// <list type="bullet">
/// <item>Offsets start at 1 and grow by one per event. Events become visible to readers in that order: a reader that sees offset n can also
/// see every offset below n.</item>
/// <item>A failed append leaves no gap in the offsets that a later append could fill.</item>
/// <item>A completed append is durable: it survives a crash.</item>
/// <item>The events of one append are atomic and have consecutive offsets.</item>
/// <item>After each commit, in commit order, the journal publishes the events to <see cref="CommitFeed"/>.</item>
/// <item>All members are thread-safe. Cancelling an append before its commit abandons it. If the commit had begun, the outcome is unknown
/// to the caller; a repeat with the same idempotency key returns it.</item>
/// </list>
/// </remarks>
public interface IJournal
{
    /// <summary>Gets the position of the last committed event that this node has learnt of. Performs no I/O.</summary>
    Position Head { get; }

    /// <summary>
    /// Reads the position of the last committed event from the store, including commits of other nodes. Afterwards <see cref="Head"/> is at
    /// or after it.
    /// </summary>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store cannot be read.</exception>
    ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) => new(Head);

    /// <summary>Reads how much space the journal occupies. Cheap enough to call every few seconds.</summary>
    /// <remarks>SQLite: the size of the database file, with all tables. PostgreSQL: the table of events with its indexes. In memory: an
    /// estimate of the events.</remarks>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The size in bytes; null if the store cannot measure it.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store cannot be read.</exception>
    ValueTask<long?> ReadSizeAsync(CancellationToken cancellationToken) => new((long?)null);

    /// <summary>Appends events in one transaction without other changes.</summary>
    /// <param name="drafts">The events: 1 to <see cref="JournalLimits.MaxEventsPerAppend"/>.</param>
    /// <param name="idempotency">The key that makes a repeated append return the positions of the first; null appends always.</param>
    /// <param name="cancellationToken">Abandons the append if its commit has not begun.</param>
    /// <returns>The position of each event, in order.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.IdempotencyKeyReused"/>: the key was used with different content.
    /// <see cref="ErrorCode.TooLarge"/>: a limit of <see cref="JournalLimits"/> is exceeded.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was appended.
    /// <see cref="ErrorCode.OutcomeUnknown"/>: the store was lost during the commit.
    /// </exception>
    ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    );

    /// <summary>Reads a page of events in offset order.</summary>
    /// <param name="query">The start, topics and limits of the page.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value of the query is out of range; see
    /// <see cref="JournalQuery.Check"/>.</exception>
    ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken);

    /// <summary>Finds the first event with a foreign id that is still stored; null if there is none.</summary>
    /// <param name="foreignId">The id: <see cref="EventDraft.ForeignId"/>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken);

    /// <summary>Removes events that the retention rules no longer keep, in small transactions that do not block writers for long.</summary>
    /// <param name="cancellationToken">Stops trimming between two transactions.</param>
    /// <returns>The number of events removed.</returns>
    ValueTask<long> TrimAsync(CancellationToken cancellationToken);
}

/// <summary>
/// The fixed limits of every journal. They bound the memory of readers and the time that one request occupies the writer.
/// </summary>
internal static class JournalLimits
{
    /// <summary>The maximum number of events in one append: 1,000. Bounds the time that one request occupies the writer.</summary>
    public const int MaxEventsPerAppend = 1_000;

    /// <summary>The maximum size of one event's data: 1 MiB. The publish endpoint accepts less (64 KiB by default).</summary>
    public const int MaxDataBytes = 1024 * 1024;

    /// <summary>The maximum number of events in one page: 1,000. Bounds the memory of one catch-up step.</summary>
    public const int MaxPageEvents = 1_000;
}

/// <summary>Identifies a request, so that the journal recognises its repetition.</summary>
/// <param name="Scope">The owner of the key, usually the user id: at most 200 characters, without control characters. Equal keys of
/// different scopes are different keys.</param>
/// <param name="Key">The key that the caller chose: 1 to 100 characters, without control characters.</param>
public sealed record IdempotencyKey(string Scope, string Key);

/// <summary>A query for a page of events.</summary>
/// <param name="After">The offset after which the page starts.</param>
/// <param name="Topics">The topics to read, in addition to those of <see cref="Patterns"/>; null reads all topics.</param>
/// <param name="Limit">The maximum number of events: 1 to <see cref="JournalLimits.MaxPageEvents"/>. Default: 256.</param>
/// <param name="MaxBytes">The page ends after the event with which the sum of data bytes reaches this value. Default: 256 KiB.</param>
public sealed record JournalQuery(long After, IReadOnlyList<TopicName>? Topics, int Limit = 256, int MaxBytes = 256 * 1024)
{
    /// <summary>Gets the patterns of further topics to read, including topics that are created during the read. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>Gets the selectors of further topics to read, including topics that are created during the read. Default: none.</summary>
    public IReadOnlyList<TopicSelector> Selectors { get; init; } = [];

    /// <summary>Validates the values. For implementations of <see cref="IJournal"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="After"/> is negative, <see cref="Limit"/> is not 1 to
    /// <see cref="JournalLimits.MaxPageEvents"/>, or <see cref="MaxBytes"/> is below 1.</exception>
    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(After);
        ArgumentOutOfRangeException.ThrowIfLessThan(Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Limit, JournalLimits.MaxPageEvents);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 1);
    }
}

/// <summary>A page of events.</summary>
/// <param name="Events">The events, in offset order.</param>
/// <param name="Through">The offset up to which this page and earlier pages hold every requested event. The next page starts after it. It
/// is at least the offset of the last event, and the head if there are no more events. With patterns it may be greater than the last
/// event's offset, even if the page is empty: a read examines a bounded number of other events.</param>
/// <param name="HasMore">Whether the journal held events after <paramref name="Through"/> at the time of the read.</param>
/// <param name="Trimmed">Whether retention has removed requested events: the page has a gap at its start.</param>
public sealed record JournalPage(IReadOnlyList<DunlinEvent> Events, long Through, bool HasMore, bool Trimmed);
