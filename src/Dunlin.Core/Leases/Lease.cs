using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>
/// A lease that this process holds. Ends by <see cref="ReleaseAsync"/> or disposal, by <see cref="HandOffAsync"/>, or by a loss, which
/// cancels <see cref="Lost"/>. Safe for concurrent use.
/// <code>
/// held ── ReleaseAsync, DisposeAsync ──────────────────────────────▶ released
///   └──── expired, preempted, handed off, released elsewhere, ... ──▶ lost
/// </code>
/// </summary>
/// <remarks>
/// <see cref="Lost"/> comes at the latest when the duration is over by this process' monotonic clock, counted from before the request:
/// never after the store ends the lease. Other losses come at once where this process causes them, and within about a second where another
/// node does. A write that must not follow a loss checks the lease in its transaction (<see cref="LeaseReader.RequireAsync(Lease,
/// CancellationToken)"/>) or sends <see cref="FencingToken"/> along.
/// </remarks>
public sealed class Lease : IAsyncDisposable
{
    private static long s_turn;

    private readonly Lock _gate = new(); // guards the fields below
    private readonly CancellationTokenSource _lost = new();
    private readonly LeaseBackend _backend;
    private readonly bool _autoRenew;
    private readonly ITimer _timer;
    private LeaseTerm _term;
    private long _nextRenewal;
    private long _renewalTurn;
    private bool _isRenewing;
    private bool _isClosed; // no longer watched: released, lost, or about to be released
    private bool _isReleased;
    private LeaseEnd? _lossReason;

    internal Lease(LeaseBackend backend, LeaseClaim claim, LeaseTerm term, bool autoRenew)
    {
        _backend = backend;
        _autoRenew = autoRenew;
        _term = term;
        Claim = claim;
        Lost = _lost.Token;
        _nextRenewal = term.RenewAt;
        _timer = backend.Time.CreateTimer(
            static lease => ((Lease)lease!).OnTimer(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        OnTimer();
    }

    /// <summary>The resource.</summary>
    public ResourceName Resource => Claim.Resource;

    /// <summary>The token of this grant, for writes to systems outside the store.</summary>
    public FencingToken FencingToken => Claim.FencingToken!.Value;

    /// <summary>The claim that proves this lease. Holds its secret: do not show it to others.</summary>
    public LeaseClaim Claim { get; }

    /// <summary>When the lease ends unless it is renewed, by the clock of the store.</summary>
    public DateTimeOffset ExpiresAt
    {
        get
        {
            lock (_gate)
                return _term.ExpiresAt;
        }
    }

    /// <summary>Whether a preemption is pending: the lease ends at <see cref="ExpiresAt"/> and cannot be renewed beyond.</summary>
    public bool IsEnding
    {
        get
        {
            lock (_gate)
                return _term.IsEnding;
        }
    }

    /// <summary>Cancelled when the lease is lost: expired, preempted, handed off, or ended elsewhere. Not cancelled by the handle's own
    /// <see cref="ReleaseAsync"/>.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Why <see cref="Lost"/> was cancelled; null before. <see cref="LeaseEnd.Unknown"/> where the reason is forgotten.</summary>
    public LeaseEnd? LossReason
    {
        get
        {
            lock (_gate)
                return _lossReason;
        }
    }

    /// <summary>Starts the duration anew. While a preemption is pending, the expiry stays.</summary>
    /// <param name="duration">The new duration; <c>default</c> for the one that the lease has.</param>
    /// <param name="cancellationToken">Gives up waiting; whether the lease was renewed is then unknown.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the lease is lost or released; the errors of the
    /// store.</exception>
    public async ValueTask RenewAsync(LeaseDuration duration = default, CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        try
        {
            OnRenewed(await _backend.RenewAsync(duration, cancellationToken));
        }
        catch (DunlinException exception) when (exception.Code == ErrorCode.LeaseLost)
        {
            await LoseAsync(exception);
            throw;
        }
    }

    /// <summary>Passes the lease to the first waiter, or to the first waiter of one user. <see cref="Lost"/> is cancelled with
    /// <see cref="LeaseEnd.HandedOff"/>.</summary>
    /// <param name="toUserId">The user who waits; null for the first waiter.</param>
    /// <param name="cancellationToken">Gives up waiting; whether the lease was handed off is then unknown.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: nobody, or not this user, waits;
    /// <see cref="ErrorCode.LeaseLost"/>: the lease is lost or released; the errors of the store.</exception>
    /// <exception cref="NotSupportedException">A soft lease has no queue.</exception>
    public async ValueTask HandOffAsync(string? toUserId = null, CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        try
        {
            await _backend.HandOffAsync(toUserId, cancellationToken);
        }
        catch (DunlinException exception) when (exception.Code == ErrorCode.LeaseLost)
        {
            await LoseAsync(exception);
            throw;
        }
        Lose(LeaseEnd.HandedOff);
    }

    /// <summary>Releases the lease. Only this grant is released: a lease that somebody else, or a later grant, holds stays. Releasing
    /// again,
    /// or releasing what is lost, changes nothing.</summary>
    /// <returns>Whether this call released the lease.</returns>
    /// <exception cref="DunlinException">The errors of the store. The lease then expires, unless a further call releases it.</exception>
    public async ValueTask<bool> ReleaseAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_isReleased)
                return false;
        }
        Close();
        var released = await _backend.ReleaseAsync(cancellationToken);
        lock (_gate)
            _isReleased = true;
        return released;
    }

    /// <summary>Releases the lease as <see cref="ReleaseAsync"/> does. A failure of the store is logged and not thrown: the lease then
    /// expires.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await ReleaseAsync(CancellationToken.None);
        }
        catch (DunlinException exception)
        {
            _backend.LogReleaseFailed(exception);
        }
    }

    /// <summary>Numbers reads and replies of all handles in the order in which they happen.</summary>
    internal static long NextTurn() => Interlocked.Increment(ref s_turn);

    /// <summary>Takes over the expiry that the store has committed, unless a renewal was answered after the read began.</summary>
    /// <param name="expiresAt">When the lease ends.</param>
    /// <param name="isEnding">Whether a preemption is pending.</param>
    /// <param name="readTurn">The turn in which the read began.</param>
    internal void Update(DateTimeOffset expiresAt, bool isEnding, long readTurn)
    {
        lock (_gate)
        {
            if (readTurn < _renewalTurn || (expiresAt == _term.ExpiresAt && isEnding == _term.IsEnding))
                return;
            var validUntil = _term.ValidUntil + _backend.TicksOf(expiresAt - _term.ExpiresAt);
            SetTerm(new LeaseTerm(expiresAt, validUntil, ThirdUntil(validUntil), isEnding));
        }
        OnTimer();
    }

    private void OnRenewed(LeaseTerm term)
    {
        lock (_gate)
        {
            _renewalTurn = NextTurn();
            SetTerm(term);
        }
        OnTimer();
    }

    private void SetTerm(LeaseTerm term)
    {
        _term = term;
        _nextRenewal = term.RenewAt;
    }

    /// <summary>Cancels <see cref="Lost"/>, once.</summary>
    internal void Lose(LeaseEnd reason)
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _lossReason = reason;
        }
        Close();
        // The callbacks of the application run on the thread pool, not in the caller.
        _ = _lost.CancelAsync();
    }

    private async ValueTask LoseAsync(DunlinException exception)
    {
        LeaseEnd? reason;
        try
        {
            reason = await _backend.LossAsync();
        }
        catch (DunlinException)
        {
            reason = null;
        }
        // The reply that refused the lease is the later word, even if the reason cannot be read any more.
        Lose(
            reason ?? (exception.Extensions.TryGetValue("reason", out var text) && text is "expired" ? LeaseEnd.Expired : LeaseEnd.Unknown)
        );
    }

    private void Close()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }
        _timer.Dispose();
        _backend.OnClosed();
    }

    private void ThrowIfEnded()
    {
        lock (_gate)
        {
            if (_isClosed)
                throw LeaseErrors.Lost(null, Resource, _lossReason ?? LeaseEnd.Released);
        }
    }

    private void OnTimer()
    {
        bool isOver,
            renews,
            isLate = false;
        lock (_gate)
        {
            if (_isClosed)
                return;
            var now = _backend.Time.GetTimestamp();
            isOver = now >= _term.ValidUntil;
            renews = !isOver && _autoRenew && !_isRenewing && !_term.IsEnding && now >= _nextRenewal;
            _isRenewing |= renews;
            if (!isOver)
            {
                var next = _autoRenew && !_isRenewing && !_term.IsEnding ? Math.Min(_nextRenewal, _term.ValidUntil) : _term.ValidUntil;
                _timer.Change(Until(now, next), Timeout.InfiniteTimeSpan);
                // This thread was held up since it read the clock, so the timer is late: arm it again.
                isLate = _backend.Time.GetElapsedTime(now) > TimeSpan.FromMilliseconds(10);
            }
        }
        if (isOver)
            Lose(IsEnding ? LeaseEnd.Preempted : LeaseEnd.Expired);
        else if (renews)
            _ = RenewInBackgroundAsync();
        if (isLate)
            OnTimer();
    }

    private async Task RenewInBackgroundAsync()
    {
        // Not in the timer's callback.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var hasFailed = false;
        try
        {
            await RenewAsync();
        }
#pragma warning disable CA1031 // retried until the lease expires
        catch (Exception exception)
#pragma warning restore CA1031
        {
            hasFailed = true;
            _backend.LogRenewalFailed(exception);
        }
        lock (_gate)
        {
            _isRenewing = false;
            // After a failure, a third of the time that is left, and 50 ms at least.
            if (hasFailed)
                _nextRenewal = Math.Max(
                    ThirdUntil(_term.ValidUntil),
                    _backend.Time.GetTimestamp() + (_backend.Time.TimestampFrequency / 20)
                );
        }
        OnTimer();
    }

    /// <summary>The timestamp at which a third of the time until another one is over.</summary>
    private long ThirdUntil(long timestamp)
    {
        var now = _backend.Time.GetTimestamp();
        return now + Math.Max(0, (timestamp - now) / 3);
    }

    // One tick more than the quotient: a timer must not be early.
    private TimeSpan Until(long now, long timestamp) => _backend.Time.GetElapsedTime(now, Math.Max(now, timestamp)) + TimeSpan.FromTicks(1);
}
