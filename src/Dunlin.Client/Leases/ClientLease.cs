namespace Dunlin.Client;

/// <summary>A lease that this process holds. It is renewed after a third of its duration and released on disposal. Thread-safe.</summary>
/// <remarks>
/// The lease is valid for the granted duration less the duration of the request, by the local monotonic clock. A renewal without a known
/// outcome does not extend it. So the lease expires here before it expires at the server. A suspended process may notice the expiry late:
/// send <see cref="Fence"/> with each guarded write, which the server checks.
/// </remarks>
public sealed class ClientLease : IAsyncDisposable
{
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromMilliseconds(500);

    private readonly LeaseRequests _requests;
    private readonly TimeProvider _time;
    private readonly Action<ClientLease> _onLost;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly ITimer _expiry;
    private readonly ITimer _renewal;
    private readonly Lock _lock = new(); // guards the fields below
    private LeaseGrant _grant;
    private long _askedAt;
    private TimeSpan _validity;
    private string? _lostReason;
    private Task _renewing = Task.CompletedTask;
    private bool _isRenewing;
    private Task? _release;

    internal ClientLease(
        LeaseRequests requests,
        string resource,
        string leaseId,
        LeaseGrant grant,
        long askedAt,
        Action<ClientLease> onLost
    )
    {
        (_requests, _time, _onLost) = (requests, requests.Requests.Time, onLost);
        (Resource, LeaseId, _grant, _askedAt) = (resource, leaseId, grant, askedAt);
        Lost = _lost.Token;
        Ending = _ending.Token;
        _validity = Granted(grant);
        _expiry = _time.CreateTimer(
            static lease => ((ClientLease)lease!).Expire(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        _renewal = _time.CreateTimer(
            static lease => ((ClientLease)lease!).StartRenewal(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        Extend(grant, askedAt);
    }

    /// <summary>Gets the resource.</summary>
    public string Resource { get; }

    /// <summary>Gets the id of the lease: a secret of its holder.</summary>
    public string LeaseId { get; }

    /// <summary>Gets the fencing token. It grows with each grant of the resource.</summary>
    public long Fence
    {
        get
        {
            lock (_lock)
                return _grant.Fence;
        }
    }

    /// <summary>Gets a token that is cancelled when the lease ends, for any reason.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Gets a token that is cancelled when another user preempts the lease: save now, the grace period is running.</summary>
    public CancellationToken Ending { get; }

    /// <summary>Gets why the lease ended: <c>expired</c>, <c>taken</c>, <c>handedOff</c>, <c>released</c> or <c>unknown</c>. Null while
    /// it is held.</summary>
    public string? LostReason
    {
        get
        {
            lock (_lock)
                return _lostReason;
        }
    }

    /// <summary>Gets the time for which the lease is certainly held.</summary>
    public TimeSpan ValidFor
    {
        get
        {
            lock (_lock)
                return _lostReason is null ? Left() : TimeSpan.Zero;
        }
    }

    /// <summary>Gets whether the lease is certainly held.</summary>
    public bool IsHeld => ValidFor > TimeSpan.Zero;

    /// <summary>Renews now. Call it when the process may have been suspended. The outcome is shown by <see cref="Lost"/>.</summary>
    public void Check() => StartRenewal();

    /// <summary>Ends the lease locally, after an event reported that it is lost.</summary>
    /// <param name="reason">The reason.</param>
    public void MarkLost(string reason) => Lose(reason);

    /// <summary>Passes the lease to a waiter.</summary>
    /// <param name="to">The user id of the waiter. Default: null, which means the first waiter.</param>
    /// <param name="cancellationToken">Cancels the request. The lease may then have been passed.</param>
    /// <exception cref="DunlinClientException">Nobody waits, the lease is lost, or the request failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task HandOffAsync(string? to = null, CancellationToken cancellationToken = default)
    {
        await _requests.HandOffAsync(Resource, new HandOffBody(LeaseId, Fence, to), cancellationToken).ConfigureAwait(false);
        Lose("handedOff");
    }

    /// <summary>Releases the lease. Repeated calls do nothing. A failed request is sent once more; then the lease expires by
    /// itself.</summary>
    public Task ReleaseAsync()
    {
        lock (_lock)
            return _release ??= ReleaseOnceAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync().ConfigureAwait(false);
        Task renewing;
        lock (_lock)
            renewing = _renewing;
        await renewing.ConfigureAwait(false);
    }

    // Both times are of the server's clock, so their difference is valid here. A repeated grant has less than its full duration left.
    private static TimeSpan Granted(LeaseGrant grant)
    {
        var (full, left) = (TimeSpan.FromSeconds(grant.Seconds), grant.ExpiresAt - grant.ServerNow);
        return left < full ? left : full;
    }

    private TimeSpan Left()
    {
        var left = _validity - _time.GetElapsedTime(_askedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Extend(LeaseGrant grant, long askedAt)
    {
        bool isEnding;
        lock (_lock)
        {
            if (_lostReason is not null)
                return;
            (_grant, _askedAt, _validity) = (grant, askedAt, Granted(grant));
            _isRenewing = false;
            _expiry.Change(Left(), Timeout.InfiniteTimeSpan);
            _renewal.Change(RenewEvery(), Timeout.InfiniteTimeSpan);
            isEnding = grant.State == "ending";
        }
        if (isEnding)
            _ending.Cancel();
    }

    private void Expire()
    {
        lock (_lock)
        {
            if (_lostReason is not null)
                return;
            if (Left() is { Ticks: > 0 } left)
            {
                _expiry.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
        }
        Lose("expired");
    }

    private TimeSpan RenewEvery() => TimeSpan.FromSeconds(_grant.Seconds) / 3;

    private void StartRenewal()
    {
        lock (_lock)
        {
            // One renewal at a time. Its end arms the timer again.
            if (_lostReason is not null || _isRenewing)
                return;
            _isRenewing = true;
            _renewing = RenewAsync(_grant, _time.GetTimestamp());
        }
    }

    private async Task RenewAsync(LeaseGrant held, long askedAt)
    {
        // Leaves the lock of the caller.
        await Task.Yield();
        try
        {
            var grant = await _requests.RenewAsync(Resource, new RenewBody(LeaseId, held.Fence, held.Seconds), Lost).ConfigureAwait(false);
            Extend(grant, askedAt);
        }
        catch (OperationCanceledException) when (Lost.IsCancellationRequested)
        {
            // The lease ended meanwhile.
        }
        catch (DunlinClientException exception)
        {
            Handle(exception.Problem);
        }
    }

    private void Handle(ClientProblem problem)
    {
        if (problem.Kind == ProblemKind.Lost)
            Lose(problem.LostReason ?? "unknown");
        else if (!problem.IsTemporary)
            Lose("unknown");
        lock (_lock)
        {
            if (_lostReason is not null)
                return;
            // An unknown outcome does not extend the lease.
            var retry = RenewEvery() / 4;
            _isRenewing = false;
            _renewal.Change(retry > ShortestRetry ? retry : ShortestRetry, Timeout.InfiniteTimeSpan);
        }
        _requests.Requests.Logger.RenewalUnknown(new QuotedText(Resource), new QuotedText(problem.Code));
    }

    private async Task ReleaseOnceAsync()
    {
        if (!Lose("released"))
            return;
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            try
            {
                await _requests.ReleaseAsync(Resource, LeaseId, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (DunlinClientException exception)
            {
                _requests.Requests.Logger.ReleaseFailed(new QuotedText(Resource), new QuotedText(exception.Problem.Code));
            }
        }
    }

    private bool Lose(string reason)
    {
        lock (_lock)
        {
            if (_lostReason is not null)
                return false;
            _lostReason = reason;
        }
        _expiry.Dispose();
        _renewal.Dispose();
        if (reason is not ("released" or "handedOff"))
            _requests.Requests.Logger.LeaseLost(new QuotedText(Resource), new QuotedText(reason));
        _onLost(this);
        // Callbacks of the application run here, so the state is complete before.
        _lost.Cancel();
        return true;
    }
}
