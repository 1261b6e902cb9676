using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Dunlin.Journal;

/// <summary>
/// One thing for a store's writer to do. It is executed inside a batch and answered after the commit of that batch, once. The
/// object is its own awaitable, so that a waiting append costs one allocation.
/// </summary>
/// <typeparam name="TSession">The writer's open transaction.</typeparam>
internal abstract class WriteRequest<TSession>(CancellationToken cancellation)
{
    /// <summary>When it was queued, by whatever timestamps the writer uses; for the duration that is measured and for patience.</summary>
    public long QueuedAt { get; set; }

    /// <summary>The span that asked for it; null where nobody traces.</summary>
    public Activity? Cause { get; set; }

    public CancellationToken Cancellation => cancellation;

    /// <summary>Events that it will append, as far as that is known; bounds the batch.</summary>
    public virtual int Count => 1;

    /// <summary>Bytes that it will append, as far as that is known; bounds the batch.</summary>
    public virtual long Bytes => 0;

    /// <summary>
    /// Whether application code runs in it: it needs the transaction as an object of ADO.NET, and is not executed a second time.
    /// </summary>
    public virtual bool IsUnit => false;

    /// <summary>Whether it may fail half done. A single insert cannot, and is spared the savepoint.</summary>
    public virtual bool NeedsSavepoint => true;

    /// <summary>The key whose earlier answer it wants to know; null for none.</summary>
    public virtual IdempotencyKey? Key => null;

    public bool IsAnswered { get; protected set; }

    /// <summary>Does the work in the open transaction. An exception fails this request alone.</summary>
    public abstract ValueTask ExecuteAsync(TSession session);

    /// <summary>
    /// Answers with the result of <see cref="ExecuteAsync"/>. The caller goes on inside this call: see <see
    /// cref="BatchAnswers{TSession}"/>.
    /// </summary>
    public abstract void Succeed();

    /// <summary>Answers with an exception. The caller goes on elsewhere.</summary>
    public abstract void Fail(Exception exception);
}

/// <summary>A request that answers with <typeparamref name="TResult"/>.</summary>
internal abstract class WriteRequest<TSession, TResult> : WriteRequest<TSession>, IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _answer;

    protected WriteRequest(CancellationToken cancellation)
        : base(cancellation) { }

    /// <summary>To be awaited once.</summary>
    public ValueTask<TResult> Answer => new(this, _answer.Version);

    protected TResult? Result { get; set; }

    public override void Succeed()
    {
        IsAnswered = true;
        _answer.SetResult(Result!);
    }

    public override void Fail(Exception exception)
    {
        IsAnswered = true;
        // Failures are told by the writer itself, which must not do its callers' work.
        _answer.RunContinuationsAsynchronously = true;
        _answer.SetException(exception);
    }

    TResult IValueTaskSource<TResult>.GetResult(short token) => _answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(
        Action<object?> continuation,
        object? state,
        short token,
        ValueTaskSourceOnCompletedFlags flags
    ) => _answer.OnCompleted(continuation, state, token, flags);
}
