using Dunlin.Diagnostics;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>A lease that this process holds. Thread-safe.</summary>
/// <remarks>
/// <see cref="ReleaseAsync"/>, disposal and <see cref="HandOffAsync"/> end the lease. Any other end is a loss, which cancels
/// <see cref="Lost"/>:
/// <code>
/// held ── ReleaseAsync, DisposeAsync ──────────────────────────────▶ released
///   └──── expired, preempted, handed off, released elsewhere, ... ──▶ lost
/// </code>
/// <see cref="Lost"/> is cancelled at the latest when the duration has elapsed on the monotonic clock of this process, counted from before
/// the request. That is never after the store ends the lease. A loss that this process causes cancels it at once; a loss that another node
/// causes, within about one second. A write that must not follow a loss checks the lease in its transaction
/// (<see cref="LeaseReader.RequireAsync(Lease, CancellationToken)"/>), or sends <see cref="FencingToken"/> to the other system.
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

    /// <summary>Gets the resource.</summary>
    public ResourceName Resource => Claim.Resource;

    /// <summary>Gets the fencing token of this grant, for writes to systems outside the store.</summary>
    public FencingToken FencingToken => Claim.FencingToken!.Value;

    /// <summary>Gets the claim that proves this lease. It contains the lease id, which is secret.</summary>
    public LeaseClaim Claim { get; }

    /// <summary>Gets the expiry of the lease (UTC) by the clock of the store. A renewal moves it.</summary>
    public DateTimeOffset ExpiresAt
    {
        get
        {
            lock (_gate)
                return _term.ExpiresAt;
        }
    }

    /// <summary>Gets whether a preemption is pending: the lease ends at <see cref="ExpiresAt"/>, and renewals do not extend it.</summary>
    public bool IsEnding
    {
        get
        {
            lock (_gate)
                return _term.IsEnding;
        }
    }

    /// <summary>
    /// Gets a token that is cancelled when the lease is lost: expired, preempted, handed off or ended elsewhere. <see cref="ReleaseAsync"/>
    /// does not cancel it.
    /// </summary>
    public CancellationToken Lost { get; }

    /// <summary>
    /// Gets why <see cref="Lost"/> was cancelled; null before. <see cref="LeaseEnd.Unknown"/> if the store no longer has the reason.
    /// </summary>
    public LeaseEnd? LossReason
    {
        get
        {
            lock (_gate)
                return _lossReason;
        }
    }

    /// <summary>Renews the lease: the duration starts again. While a preemption is pending, the expiry does not change.</summary>
    /// <param name="duration">The new duration; <c>default</c> keeps the current duration.</param>
    /// <param name="cancellationToken">Cancels the wait. It is then unknown whether the lease was renewed.</param>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.LeaseLost"/>: the lease is lost or released.
    /// <see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.OutcomeUnknown"/>: the store failed.
    /// </exception>
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

    /// <summary>
    /// Transfers the lease to the first waiter, or to the first waiter of one user. Cancels <see cref="Lost"/> with
    /// <see cref="LeaseEnd.HandedOff"/>.
    /// </summary>
    /// <param name="toUserId">The user of the waiter; null for the first waiter.</param>
    /// <param name="cancellationToken">Cancels the wait. It is then unknown whether the lease was handed off.</param>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.Conflict"/>: there is no waiter, or none of this user.
    /// <see cref="ErrorCode.LeaseLost"/>: the lease is lost or released.
    /// <see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.OutcomeUnknown"/>: the store failed.
    /// </exception>
    /// <exception cref="NotSupportedException">The lease is a soft lease, which has no queue.</exception>
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

    /// <summary>
    /// Releases the lease. Idempotent: a call after a release or a loss changes nothing. Leases of other owners and later grants stay.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait. It is then unknown whether the lease was released.</param>
    /// <returns>Whether this call released the lease.</returns>
    /// <exception cref="DunlinException">The store failed. The lease then expires, unless another call releases it.</exception>
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

    /// <summary>
    /// Releases the lease as <see cref="ReleaseAsync"/> does. An error of the store is logged and not thrown; the lease then expires.
    /// </summary>
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

    /// <summary>Returns the next sequence number for ordering reads and replies of all handles.</summary>
    internal static long NextTurn() => Interlocked.Increment(ref s_turn);

    /// <summary>Applies the committed expiry, unless a renewal was answered after the read began.</summary>
    /// <param name="expiresAt">The expiry of the lease.</param>
    /// <param name="isEnding">Whether a preemption is pending.</param>
    /// <param name="readTurn">The sequence number taken before the read; see <see cref="NextTurn"/>.</param>
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

    /// <summary>Cancels <see cref="Lost"/>. Only the first call has an effect.</summary>
    internal void Lose(LeaseEnd reason)
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _lossReason = reason;
        }
        Close();
        // Run the application's callbacks on the thread pool, not in the caller.
        _ = Background.CancelAsync(_lost);
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
        // The lease is lost even if its reason can no longer be read: the store has refused it.
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
                // This thread was delayed after it read the clock, so the timer would be late: re-arm it.
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
        // Do not renew in the timer's callback.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | Background.Context);
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
            // After a failure, retry after a third of the remaining time, but at least 50 ms.
            if (hasFailed)
                _nextRenewal = Math.Max(
                    ThirdUntil(_term.ValidUntil),
                    _backend.Time.GetTimestamp() + (_backend.Time.TimestampFrequency / 20)
                );
        }
        OnTimer();
    }

    /// <summary>Returns the timestamp at which a third of the time until <paramref name="timestamp"/> has elapsed.</summary>
    private long ThirdUntil(long timestamp)
    {
        var now = _backend.Time.GetTimestamp();
        return now + Math.Max(0, (timestamp - now) / 3);
    }

    // Round up by one tick: the timer must not fire early.
    private TimeSpan Until(long now, long timestamp) => _backend.Time.GetElapsedTime(now, Math.Max(now, timestamp)) + TimeSpan.FromTicks(1);
}
