using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Passes all calls on. Tests override those that they hold, count or break.</summary>
internal abstract class JournalDecorator(IJournal inner) : IJournal
{
    public virtual Position Head => inner.Head;

    public virtual ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) => inner.ReadHeadAsync(cancellationToken);

    public virtual ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken) =>
        inner.ReadAsync(query, cancellationToken);

    public ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    ) => inner.AppendAsync(drafts, idempotency, cancellationToken);

    public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken) =>
        inner.FindAsync(foreignId, cancellationToken);

    public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => inner.TrimAsync(cancellationToken);
}

/// <summary>Calls an action at each read.</summary>
internal sealed class WatchedJournal(IJournal inner, Action onRead) : JournalDecorator(inner)
{
    public override ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        onRead();
        return base.ReadAsync(query, cancellationToken);
    }
}
