using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>The writer of an open store.</summary>
internal interface IStoreWriter<TSession>
{
    /// <summary>Queues a request. The request itself completes its caller.</summary>
    void Add(WriteRequest<TSession> request);
}

/// <summary>Dispatches requests to the writer of a store. Thread-safe.</summary>
/// <remarks>
/// The first request opens the store. Requests from inside a unit of work of the same store are rejected: they would deadlock.
/// </remarks>
/// <param name="opened">Returns the writer; null if the store is not open.</param>
/// <param name="open">Opens the store.</param>
internal sealed class WriteDispatcher<TSession>(
    Func<IStoreWriter<TSession>?> opened,
    Func<CancellationToken, ValueTask<IStoreWriter<TSession>>> open
)
{
    /// <summary>Gets the unit of work in which the caller runs.</summary>
    public AsyncLocal<RunningUnit?> Current { get; } = new();

    /// <summary>Queues a request and returns its result.</summary>
    /// <exception cref="InvalidOperationException">The caller runs inside a unit of work.</exception>
    public ValueTask<T> RequestAsync<T>(WriteRequest<TSession, T> request)
    {
        ThrowIfInUnit();
        request.Cause = DunlinActivities.Caller;
        if (opened() is not { } writer)
            return OpenAndRequestAsync(request);
        writer.Add(request);
        return request.Answer;
    }

    /// <summary>Throws if the caller runs inside a unit of work.</summary>
    /// <exception cref="InvalidOperationException">It does.</exception>
    public void ThrowIfInUnit()
    {
        if (Current.Value is { Ended: false })
            throw new InvalidOperationException(
                "A unit of work cannot write through the store: it would wait for itself. Use the open unit of work."
            );
    }

    private async ValueTask<T> OpenAndRequestAsync<T>(WriteRequest<TSession, T> request)
    {
        var writer = await open(request.Cancellation);
        writer.Add(request);
        return await request.Answer;
    }
}

/// <summary>A unit of work that is valid inside its callback only.</summary>
internal abstract class RunningUnit
{
    private volatile bool _ended;
    private List<Action>? _committed;

    public bool Ended => _ended;

    /// <summary>Adds an action that runs once the unit has committed. It must not block or throw.</summary>
    public void AfterCommit(Action action) => (_committed ??= []).Add(action);

    /// <summary>Runs the actions of <see cref="AfterCommit"/>. Called by the writer, after the commit.</summary>
    public void RunCommitted() => _committed?.ForEach(static action => action());

    public void End() => _ended = true;

    /// <exception cref="InvalidOperationException">The callback has returned.</exception>
    protected void ThrowIfEnded()
    {
        if (_ended)
            throw new InvalidOperationException("The unit of work has ended. Use it inside its callback only.");
    }
}
