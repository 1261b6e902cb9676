using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Calls an action at each read.</summary>
internal sealed class WatchedJournal(IJournal inner, Action onRead) : IJournal
{
    public Position Head => inner.Head;

    public ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        onRead();
        return inner.ReadAsync(query, cancellationToken);
    }

    public ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    ) => inner.AppendAsync(drafts, idempotency, cancellationToken);

    public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken) =>
        inner.FindAsync(foreignId, cancellationToken);

    public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => inner.TrimAsync(cancellationToken);
}
