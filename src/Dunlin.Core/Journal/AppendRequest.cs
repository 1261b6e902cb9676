namespace Dunlin.Journal;

/// <summary>The append operations of a store writer's open transaction.</summary>
internal interface IAppendSession
{
    /// <summary>Appends an event at the next offset.</summary>
    Position Append(EventDraft draft);

    /// <summary>Returns the stored result of an idempotency key; null if the key is new.</summary>
    KeyAnswer? FindAnswer(IdempotencyKey key);

    /// <summary>Stores the result of an idempotency key.</summary>
    void SaveAnswer(KeyAnswer answer);
}

/// <summary>The stored result of an idempotency key.</summary>
internal sealed record KeyAnswer(IdempotencyKey Key, byte[] Fingerprint, PositionRange Positions);

/// <summary>Appends events in a transaction without other changes.</summary>
internal sealed class AppendRequest<TSession>(
    IReadOnlyList<EventDraft> drafts,
    long bytes,
    IdempotencyKey? key,
    byte[]? fingerprint,
    CancellationToken cancellation
) : WriteRequest<TSession, IReadOnlyList<Position>>(cancellation)
    where TSession : IAppendSession
{
    public override int Count => drafts.Count;

    public override long Bytes => bytes;

    public override bool NeedsSavepoint => drafts.Count > 1 || key is not null;

    public override IdempotencyKey? Key => key;

    public override ValueTask ExecuteAsync(TSession session)
    {
        if (key is not null && session.FindAnswer(key) is { } earlier)
        {
            Result = earlier.Fingerprint.AsSpan().SequenceEqual(fingerprint) ? earlier.Positions : throw AppendRules.KeyReused(key);
            return default;
        }
        var first = session.Append(drafts[0]);
        for (var i = 1; i < drafts.Count; i++)
            session.Append(drafts[i]);
        var positions = new PositionRange(first, drafts.Count);
        if (key is not null)
            session.SaveAnswer(new KeyAnswer(key, fingerprint!, positions));
        Result = positions;
        return default;
    }
}
