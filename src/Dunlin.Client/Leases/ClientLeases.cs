using System.Collections.Concurrent;

namespace Dunlin.Client;

/// <summary>Acquires leases and keeps them. Thread-safe.</summary>
public sealed class ClientLeases
{
    /// <summary>Delays before a request without an answer is sent again with the same lease id.</summary>
    private static readonly TimeSpan[] LostReplyRetries =
    [
        TimeSpan.FromMilliseconds(250),
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(2),
    ];

    // A repeated request keeps the place in the queue.
    private static readonly TimeSpan WaiterPoll = TimeSpan.FromSeconds(2);

    private readonly LeaseRequests _requests;
    private readonly ConcurrentDictionary<ClientLease, bool> _held = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _free = new(StringComparer.Ordinal);

    internal ClientLeases(ClientRequests requests) => _requests = new LeaseRequests(requests);

    /// <summary>Gets the leases that this client holds.</summary>
    public IReadOnlyCollection<ClientLease> Held => [.. _held.Keys];

    /// <summary>Tries once to acquire a lease.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="options">The options. Default: null.</param>
    /// <param name="cancellationToken">Cancels the request. A lease that was granted meanwhile is released.</param>
    /// <returns>The lease, or its holder.</returns>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<LeaseAttempt> TryAcquireAsync(
        string resource,
        AcquireOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var (leaseId, seconds) = Prepare(resource, options);
        var body = new AcquireBody(leaseId, seconds, Wait: false);
        try
        {
            var (lease, answer) = await AskAsync(resource, leaseId, ct => _requests.AcquireAsync(resource, body, ct), cancellationToken)
                .ConfigureAwait(false);
            return new LeaseAttempt(lease, lease is null ? answer.Holder : null);
        }
        catch (Exception exception)
            when (exception is OperationCanceledException || exception is DunlinClientException { Problem.IsTemporary: true })
        {
            // The server may have granted the lease without an answer.
            _ = AbandonAsync(resource, leaseId);
            throw;
        }
    }

    /// <summary>Waits in the queue until the lease is granted.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="options">The options. Default: null.</param>
    /// <param name="cancellationToken">Stops waiting and leaves the queue.</param>
    /// <returns>The lease. Dispose it to release it.</returns>
    /// <exception cref="DunlinClientException">The request was refused. Temporary failures are repeated.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<ClientLease> AcquireAsync(string resource, AcquireOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (leaseId, seconds) = Prepare(resource, options);
        return WaitAsync(resource, leaseId, seconds, options, first: null, cancellationToken);
    }

    /// <summary>Takes the lease from its holder, if the caller has this right.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="reason">The reason, which the holder receives.</param>
    /// <param name="grace">The time for which the holder may still save, in whole seconds. Zero takes the lease at once.</param>
    /// <param name="options">The options. Default: null.</param>
    /// <param name="cancellationToken">Stops waiting and leaves the queue.</param>
    /// <returns>The lease, after the grace period.</returns>
    /// <exception cref="DunlinClientException">The request was refused.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<ClientLease> PreemptAsync(
        string resource,
        string reason,
        TimeSpan grace = default,
        AcquireOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentOutOfRangeException.ThrowIfLessThan(grace, TimeSpan.Zero);
        var (leaseId, seconds) = Prepare(resource, options);
        var body = new PreemptBody(leaseId, reason, (int)grace.TotalSeconds, seconds);
        return WaitAsync(resource, leaseId, seconds, options, ct => _requests.PreemptAsync(resource, body, ct), cancellationToken);
    }

    /// <summary>Returns a page of the held leases under a prefix.</summary>
    /// <param name="prefix">The prefix. Default: null, which means all leases that the caller may see.</param>
    /// <param name="after">The <see cref="LeaseListPage.Next"/> of the page before. Default: null, which means the first page.</param>
    /// <param name="limit">The largest number of leases: 1 to 1,000. Default: null, which means 1,000.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    public Task<LeaseListPage> ListAsync(
        string? prefix = null,
        string? after = null,
        int? limit = null,
        CancellationToken cancellationToken = default
    ) => _requests.ListAsync(prefix, after, limit, cancellationToken);

    /// <summary>Releases a lease by its id, such as one of a process that has ended. Also leaves the queue. Repeated calls do nothing, and
    /// neither does a call for a lease of another id.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="leaseId">The id that the holder chose: <see cref="ClientLease.LeaseId"/>. The holder must be the same user.</param>
    /// <param name="cancellationToken">Cancels the request. The lease may then have been released.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task ReleaseAsync(string resource, string leaseId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(resource);
        CheckId(leaseId);
        await _requests.ReleaseAsync(resource, leaseId, cancellationToken).ConfigureAwait(false);
        foreach (var lease in _held.Keys)
        {
            if (lease.Resource == resource && lease.LeaseId == leaseId)
                lease.MarkLost("released");
        }
    }

    /// <summary>Renews a lease by its id and fencing token, such as one that another process of the same user holds. The duration starts
    /// again. Sent once, and never acquires.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="leaseId">The id that the holder chose: <see cref="ClientLease.LeaseId"/>.</param>
    /// <param name="fence">The fencing token of the grant: <see cref="ClientLease.Fence"/>.</param>
    /// <param name="seconds">The new duration in seconds. Default: null, which keeps the duration.</param>
    /// <param name="cancellationToken">Cancels the request. The lease may then have been renewed.</param>
    /// <returns>The renewed lease. Its <see cref="LeaseGrant.State"/> is <c>ending</c> if a preemption is pending: it was not
    /// extended.</returns>
    /// <exception cref="DunlinClientException">The lease is lost (<see cref="ProblemKind.Lost"/>), or the request was refused or
    /// failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<LeaseGrant> RenewAsync(
        string resource,
        string leaseId,
        long fence,
        int? seconds = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(resource);
        CheckId(leaseId);
        return _requests.RenewAsync(resource, new RenewBody(leaseId, fence, seconds), cancellationToken);
    }

    /// <summary>Lets waiters of a resource ask again now, because an event reported that it is free.</summary>
    /// <param name="resource">The resource.</param>
    public void Notify(string resource)
    {
        if (_free.TryRemove(resource, out var waiting))
            waiting.TrySetResult();
    }

    /// <summary>Renews all leases now. The client calls this when a stream is live again.</summary>
    public void Check()
    {
        foreach (var lease in _held.Keys)
            lease.Check();
    }

    /// <summary>Releases all leases.</summary>
    public Task ReleaseAllAsync() => Task.WhenAll(_held.Keys.Select(static lease => lease.DisposeAsync().AsTask()));

    // A line break in a header would be refused by HttpClient with an error that does not name the id.
    private static void CheckId(string leaseId)
    {
        ArgumentException.ThrowIfNullOrEmpty(leaseId);
        if (!StreamPosition.IsHeaderSafe(leaseId))
            throw new ArgumentException("A lease id has 12 to 64 characters of [A-Za-z0-9._-].", nameof(leaseId));
    }

    private static (string LeaseId, int Seconds) Prepare(string resource, AcquireOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(resource);
        return (Guid.NewGuid().ToString("N"), (options ?? new AcquireOptions()).Seconds);
    }

    private async Task<ClientLease> WaitAsync(
        string resource,
        string leaseId,
        int seconds,
        AcquireOptions? options,
        Func<CancellationToken, Task<LeaseAnswer>>? first,
        CancellationToken cancellationToken
    )
    {
        var body = new AcquireBody(leaseId, seconds, Wait: true);
        Task<LeaseAnswer> Acquire(CancellationToken token) => _requests.AcquireAsync(resource, body, token);
        var ask = first ?? Acquire;
        try
        {
            while (true)
            {
                // Before the request: a notification between the answer and the wait must not be lost.
                var free = _free.GetOrAdd(
                    resource,
                    static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
                );
                try
                {
                    var (lease, answer) = await AskAsync(resource, leaseId, ask, cancellationToken).ConfigureAwait(false);
                    if (lease is not null)
                        return lease;
                    ask = Acquire;
                    if (answer.Position is { } place)
                        options?.OnQueued?.Invoke(place);
                }
                catch (DunlinClientException exception) when (exception.Problem.IsTemporary)
                {
                    // The same lease id keeps the place, so a repeated request is safe.
                }
                await PauseAsync(free.Task, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The request may have been queued or granted without an answer.
            _ = AbandonAsync(resource, leaseId);
            throw;
        }
        finally
        {
            // Other waiters of this resource ask again and wait for a new notification.
            Notify(resource);
        }
    }

    private async Task PauseAsync(Task free, CancellationToken cancellationToken)
    {
        try
        {
            await free.WaitAsync(WaiterPoll, _requests.Requests.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Ask again.
        }
    }

    private async Task<(ClientLease? Lease, LeaseAnswer Answer)> AskAsync(
        string resource,
        string leaseId,
        Func<CancellationToken, Task<LeaseAnswer>> ask,
        CancellationToken cancellationToken
    )
    {
        var time = _requests.Requests.Time;
        for (var attempt = 0; ; attempt++)
        {
            var askedAt = time.GetTimestamp();
            try
            {
                var answer = await ask(cancellationToken).ConfigureAwait(false);
                return (answer.Grant is { } grant ? Hold(resource, leaseId, grant, askedAt) : null, answer);
            }
            catch (DunlinClientException exception)
                when (exception.Problem.Kind == ProblemKind.Network && attempt < LostReplyRetries.Length)
            {
                await Task.Delay(LostReplyRetries[attempt], time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private ClientLease Hold(string resource, string leaseId, LeaseGrant grant, long askedAt)
    {
        var lease = new ClientLease(_requests, resource, leaseId, grant, askedAt, lost => _held.TryRemove(lost, out _));
        _held[lease] = true;
        if (lease.Lost.IsCancellationRequested)
            _held.TryRemove(lease, out _);
        return lease;
    }

    private async Task AbandonAsync(string resource, string leaseId)
    {
        try
        {
            await _requests.ReleaseAsync(resource, leaseId, CancellationToken.None).ConfigureAwait(false);
        }
        catch (DunlinClientException exception)
        {
            _requests.Requests.Logger.ReleaseFailed(new QuotedText(resource), new QuotedText(exception.Problem.Code));
        }
    }
}
