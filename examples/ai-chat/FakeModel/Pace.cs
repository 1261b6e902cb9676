namespace FakeModel;

/// <summary>Decides when the model sends its next token, and whether a request fails. Thread-safe.</summary>
public sealed class Pace(bool isPaced, TimeProvider? time = null)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);

    private readonly SemaphoreSlim _permits = new(0);
    private readonly Lock _gate = new(); // guards the fields below
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource _cut = new();
    private bool _isFree = !isPaced;
    private int _refusal;
    private int _open;

    /// <summary>Allows a number of further tokens, for the request that asks first.</summary>
    public void Grant(int tokens) => _permits.Release(tokens);

    /// <summary>Allows all tokens from now on.</summary>
    public void GrantAll()
    {
        lock (_gate)
            _isFree = true;
        _permits.Release(1_000_000);
    }

    /// <summary>Refuses the next request with a status.</summary>
    public void RefuseNext(int status) => Interlocked.Exchange(ref _refusal, status);

    /// <summary>Returns the status of a refusal, once; 0 for none.</summary>
    public int TakeRefusal() => Interlocked.Exchange(ref _refusal, 0);

    /// <summary>Breaks the connections of all requests.</summary>
    public void Cut()
    {
        CancellationTokenSource cut;
        lock (_gate)
            (cut, _cut) = (_cut, new CancellationTokenSource());
        cut.Cancel();
        cut.Dispose();
    }

    /// <summary>Counts a request until disposal.</summary>
    public Request Begin()
    {
        lock (_gate)
        {
            Change(1);
            return new Request(this, _cut.Token);
        }
    }

    /// <summary>Completes when this number of requests is open.</summary>
    public async Task WhenOpenAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_open == count)
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Completes when the next token may be sent.</summary>
    public async Task NextAsync(CancellationToken cancellationToken)
    {
        bool isFree;
        lock (_gate)
            isFree = _isFree;
        if (!isPaced)
            await Task.Delay(Interval, time ?? TimeProvider.System, cancellationToken);
        else if (!isFree)
            await _permits.WaitAsync(cancellationToken);
    }

    // Requires _gate.
    private void Change(int by)
    {
        _open += by;
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>An open request.</summary>
    public sealed class Request(Pace pace, CancellationToken cut) : IDisposable
    {
        /// <summary>Cancelled when the connection has to break.</summary>
        public CancellationToken Cut { get; } = cut;

        public void Dispose()
        {
            lock (pace._gate)
                pace.Change(-1);
        }
    }
}
