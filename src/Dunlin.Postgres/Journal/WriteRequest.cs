using System.Threading.Tasks.Sources;
using Dunlin.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>
/// One thing for the writer to do. It is executed inside a batch and answered after the commit of that batch, once. The
/// object is its own awaitable, so that a waiting append costs one allocation.
/// </summary>
internal abstract class WriteRequest(CancellationToken cancellation)
{
    /// <summary>When it was queued, by the timestamp of the clock; for the duration that is measured and for patience.</summary>
    public long QueuedAt { get; set; }

    public CancellationToken Cancellation => cancellation;

    /// <summary>Events that it will append, as far as that is known; bounds the batch.</summary>
    public virtual int Count => 1;

    /// <summary>Bytes that it will append, as far as that is known; bounds the batch.</summary>
    public virtual long Bytes => 0;

    /// <summary>Whether it touches memory alone, so that it can be executed again after its transaction was lost.</summary>
    public virtual bool IsRepeatable => false;

    /// <summary>The key that must be looked up before it is executed.</summary>
    public virtual IdempotencyKey? Key => null;

    public bool IsAnswered { get; protected set; }

    /// <summary>Does the work in the open transaction. An exception fails this request alone.</summary>
    public abstract ValueTask ExecuteAsync(WriterSession session);

    /// <summary>Answers with the result of <see cref="ExecuteAsync"/>.</summary>
    public abstract void Succeed();

    public abstract void Fail(Exception exception);
}

/// <summary>A request that answers with <typeparamref name="T"/>.</summary>
internal abstract class WriteRequest<T> : WriteRequest, IValueTaskSource<T>
{
    // Continuations run elsewhere: the writer must not do its callers' work.
    private ManualResetValueTaskSourceCore<T> _answer = new() { RunContinuationsAsynchronously = true };

    protected WriteRequest(CancellationToken cancellation) : base(cancellation)
    {
    }

    /// <summary>To be awaited once.</summary>
    public ValueTask<T> Answer => new(this, _answer.Version);

    protected T? Result { get; set; }

    public override void Succeed()
    {
        IsAnswered = true;
        _answer.SetResult(Result!);
    }

    public override void Fail(Exception exception)
    {
        IsAnswered = true;
        _answer.SetException(exception);
    }

    T IValueTaskSource<T>.GetResult(short token) => _answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _answer.OnCompleted(continuation, state, token, flags);
}

/// <summary>Appends events outside any other change: no statement of its own, the batch inserts them with the others.</summary>
internal sealed class AppendRequest(
    IReadOnlyList<EventDraft> drafts, long bytes, IdempotencyKey? key, byte[]? fingerprint, CancellationToken cancellation)
    : WriteRequest<IReadOnlyList<Position>>(cancellation)
{
    public override int Count => drafts.Count;

    public override long Bytes => bytes;

    public override bool IsRepeatable => true;

    public override IdempotencyKey? Key => key;

    public override ValueTask ExecuteAsync(WriterSession session)
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

/// <summary>The answer that was given to an idempotency key.</summary>
internal sealed record KeyAnswer(IdempotencyKey Key, byte[] Fingerprint, PositionRange Positions);
