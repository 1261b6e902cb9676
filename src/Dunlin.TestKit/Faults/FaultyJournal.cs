using Dunlin.Journal;

namespace Dunlin.TestKit;

/// <summary>Decorates a journal with faults on demand. Thread-safe.</summary>
/// <param name="inner">The journal.</param>
/// <param name="faults">The faults of appends.</param>
public sealed class FaultyJournal(IJournal inner, CommitFaults faults) : IJournal
{
    /// <inheritdoc/>
    public Position Head => inner.Head;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    )
    {
        var fault = faults.Take();
        if (fault.Gate is { } gate)
            await gate.PassAsync().WaitAsync(cancellationToken);
        if (fault.Before is { } before)
            throw before;
        var positions = await inner.AppendAsync(drafts, idempotency, cancellationToken);
        return fault.After is { } after ? throw after : positions;
    }

    /// <inheritdoc/>
    public ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) => inner.ReadHeadAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> ReadSizeAsync(CancellationToken cancellationToken) => inner.ReadSizeAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken) =>
        inner.ReadAsync(query, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken) =>
        inner.FindAsync(foreignId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => inner.TrimAsync(cancellationToken);
}
