using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Dunlin.Journal;

/// <summary>
/// A request to a store's writer. The writer executes it in a batch and completes it once, after the commit of that batch.
/// </summary>
/// <remarks>The object is its own awaitable, so that a pending append costs one allocation.</remarks>
/// <typeparam name="TSession">The writer's open transaction.</typeparam>
internal abstract class WriteRequest<TSession>(CancellationToken cancellation)
{
    /// <summary>Gets or sets the time of queueing, in the writer's timestamps, for the duration metric and the queue timeout.</summary>
    public long QueuedAt { get; set; }

    /// <summary>Gets or sets the span of the caller; null if tracing is off.</summary>
    public Activity? Cause { get; set; }

    public CancellationToken Cancellation => cancellation;

    /// <summary>Gets the known number of events that the request appends. Limits the size of the batch.</summary>
    public virtual int Count => 1;

    /// <summary>Gets the known number of bytes that the request appends. Limits the size of the batch.</summary>
    public virtual long Bytes => 0;

    /// <summary>
    /// Gets whether the request runs application code. It then needs an ADO.NET transaction object and is never executed twice.
    /// </summary>
    public virtual bool IsUnit => false;

    /// <summary>Gets whether the request can fail after it has changed something. A single insert cannot and needs no savepoint.</summary>
    public virtual bool NeedsSavepoint => true;

    /// <summary>Gets the idempotency key whose stored result the request reads; null if there is none.</summary>
    public virtual IdempotencyKey? Key => null;

    public bool IsAnswered { get; protected set; }

    /// <summary>Executes the request in the open transaction. An exception fails this request only.</summary>
    public abstract ValueTask ExecuteAsync(TSession session);

    /// <summary>
    /// Completes the request with the result of <see cref="ExecuteAsync"/>. The continuation of the caller runs synchronously: see
    /// <see cref="BatchAnswers{TSession}"/>.
    /// </summary>
    public abstract void Succeed();

    /// <summary>Completes the request with an exception. The continuation of the caller runs asynchronously.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Called once by the writer after the commit, before the request is completed.</summary>
    public virtual void OnCommitted() { }
}

/// <summary>A request with a result of type <typeparamref name="TResult"/>.</summary>
internal abstract class WriteRequest<TSession, TResult> : WriteRequest<TSession>, IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _answer;

    protected WriteRequest(CancellationToken cancellation)
        : base(cancellation) { }

    /// <summary>Gets the result. Await it once only.</summary>
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
        // The writer's thread completes failures and must not run continuations of callers.
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
