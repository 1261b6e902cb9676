using Dunlin.Diagnostics;

namespace Dunlin.Fanout;

/// <summary>Slows publishers before the delivery of this node lags. Thread-safe.</summary>
/// <remarks>
/// Two steps act on each publish request of a network protocol, and none of them runs inside a transaction:
/// <list type="number">
/// <item><see cref="AdmitAsync"/>, before the transaction: waits while the expected lag exceeds the target.</item>
/// <item><see cref="PaceAsync"/>, before the answer: waits until a long round in progress opens. A publisher that sends its next event
/// after the answer then sends it shortly before the next round, and not behind a whole one.</item>
/// </list>
/// Invariant: a request waits for admission only while events of this node are admitted or undelivered. Each end of a round and of an
/// admission releases requests, so the last one always opens the gate.
/// </remarks>
internal sealed class FlowControl(
    FanoutOptions options,
    IReadOnlyList<FanoutShard> shards,
    TimeProvider time,
    FanoutInstruments instruments
)
{
    // Admitted at any lag: this many events share the send calls of one round. With fewer, more readers than a round can serve within the
    // target would reduce delivery to one event for each round.
    internal const int AlwaysAdmitted = 16;

    // Bounds the memory of waiting requests. Each waits for a limited time only.
    internal const int MaxWaiting = 1_024;

    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new(); // guards _queue and _admitted; taken before the gate of a shard
    private readonly FlowQueue _queue = new();
    private int _admitted; // events whose transaction has not ended

    /// <summary>Gets the number of requests that wait for admission.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <summary>Admits a publish request. Waits while delivery lags. Call it before the transaction begins.</summary>
    /// <param name="publisher">The publisher. Waiting publishers take turns.</param>
    /// <param name="events">The number of events.</param>
    /// <param name="cancellationToken">Cancels the wait. Nothing remains of it.</param>
    /// <returns>The admission. Dispose it when the transaction has ended.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: delivery still lags after
    /// <see cref="FanoutOptions.MaxPublishWait"/>, or too many requests wait. Nothing was stored.</exception>
    public ValueTask<Admission> AdmitAsync(string publisher, int events, CancellationToken cancellationToken)
    {
        if (options.LagTarget == TimeSpan.Zero)
            return default;
        FlowRequest request;
        lock (_gate)
        {
            if (_queue.Count == 0 && HasRoom())
            {
                _admitted += events;
                return new(new Admission(this, events));
            }
            if (_queue.Count >= MaxWaiting)
                throw Refuse();
            request = _queue.Add(publisher, events);
        }
        instruments.Delayed.Add(1);
        return WaitAsync(request, cancellationToken);
    }

    /// <summary>Waits until the long rounds in progress open, but no longer than the target. Call it before the answer.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public ValueTask PaceAsync(CancellationToken cancellationToken)
    {
        if (options.LagTarget == TimeSpan.Zero)
            return default;
        PacedAnswer? answer = null;
        foreach (var shard in shards)
            shard.Hold(ref answer);
        return answer is null ? default : WaitAsync(answer, cancellationToken);
    }

    /// <summary>Publishes with both steps around it.</summary>
    /// <param name="publisher">The publisher. Waiting publishers take turns.</param>
    /// <param name="events">The number of events.</param>
    /// <param name="publish">Stores the events.</param>
    /// <param name="cancellationToken">Cancels the waits. It does not cancel <paramref name="publish"/>.</param>
    /// <exception cref="DunlinException">As for <see cref="AdmitAsync"/>.</exception>
    public async ValueTask<T> RunAsync<T>(string publisher, int events, Func<ValueTask<T>> publish, CancellationToken cancellationToken)
    {
        T result;
        using (await AdmitAsync(publisher, events, cancellationToken))
            result = await publish();
        await PaceAsync(cancellationToken);
        return result;
    }

    /// <summary>Releases requests after a shard has delivered events. Must not be called under the gate of a shard.</summary>
    public void OnDelivered()
    {
        lock (_gate)
            Release();
    }

    private void End(int events)
    {
        lock (_gate)
        {
            _admitted -= events;
            Release();
        }
    }

    // Requires _gate.
    private void Release()
    {
        while (_queue.Count > 0 && HasRoom())
        {
            var request = _queue.Take();
            _admitted += request.Events;
            request.Admitted.SetResult();
        }
    }

    // Requires _gate.
    private bool HasRoom()
    {
        foreach (var shard in shards)
        {
            var (events, lag) = shard.Expect(_admitted);
            if (lag >= options.LagTarget && events + _admitted >= AlwaysAdmitted)
                return false;
        }
        return true;
    }

    private async ValueTask<Admission> WaitAsync(FlowRequest request, CancellationToken cancellationToken)
    {
        var admission = new Admission(this, request.Events);
        try
        {
            await request.Admitted.Task.WaitAsync(options.MaxPublishWait, time, cancellationToken);
            return admission;
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            lock (_gate)
            {
                if (!request.Admitted.Task.IsCompleted)
                {
                    _queue.Remove(request);
                    throw error is TimeoutException ? Refuse() : new OperationCanceledException(cancellationToken);
                }
            }
            if (error is TimeoutException)
                return admission; // admitted at the last moment
            admission.Dispose();
            throw;
        }
    }

    private async ValueTask WaitAsync(PacedAnswer answer, CancellationToken cancellationToken)
    {
        answer.Signal();
        try
        {
            await answer.Released.WaitAsync(options.LagTarget, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The event is durable: an answer never waits longer than the target.
        }
    }

    // Requires _gate.
    private DunlinException Refuse()
    {
        instruments.Refused.Add(1);
        var lag = TimeSpan.Zero;
        foreach (var shard in shards)
            lag = TimeSpan.FromTicks(Math.Max(lag.Ticks, shard.Expect(_admitted).Lag.Ticks));
        return new DunlinException(
            ErrorCode.TooManyRequests,
            FormattableString.Invariant($"Delivery on this node lags by {lag.TotalMilliseconds:0} ms. The event was not stored.")
        )
        {
            RetryAfter = lag < MaxRetryAfter ? lag : MaxRetryAfter,
        };
    }

    /// <summary>An admitted publish request, until its transaction has ended.</summary>
    internal readonly struct Admission(FlowControl flow, int events) : IDisposable
    {
        /// <summary>Ends the admission. Call once.</summary>
        public void Dispose() => flow?.End(events);
    }
}
