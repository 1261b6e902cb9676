using Microsoft.Extensions.Logging;

namespace Dunlin.Scheduling;

/// <summary>
/// Runs one background task of a node until it is stopped. The fault of a body is logged, and the body starts again after a back-off,
/// which doubles with each consecutive fault up to a maximum, with 50 to 100 % jitter. A body that returns ends the loop.
/// </summary>
/// <remarks>Safe for concurrent use, except that <see cref="Start"/> is called once.</remarks>
internal sealed partial class BackgroundLoop : IAsyncDisposable
{
    /// <summary>Consecutive faults after which the health check reports the loop. One fault may be a replaced connection.</summary>
    public const int FailingAfter = 3;

    private static readonly LoopBackoff DefaultBackoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<BackgroundLoop, CancellationToken, Task> _body;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LoopBackoff _backoff;
    private readonly BackgroundLoops? _registry;
    private int _faults;
    private Exception? _lastFault;

    /// <summary>Creates a loop that does not run yet.</summary>
    /// <param name="name">Names the loop in the log and in the health check, for example <c>retention</c>.</param>
    /// <param name="body">Runs until its token is cancelled. It calls <see cref="ReportSuccess"/> after each round that worked.</param>
    /// <param name="time">Measures the back-off.</param>
    /// <param name="logger">Logs faults.</param>
    /// <param name="backoff">Default: from 1 s to 30 s.</param>
    /// <param name="registry">Reports the loop to the health check; null where another check covers it.</param>
    public BackgroundLoop(
        string name,
        Func<BackgroundLoop, CancellationToken, Task> body,
        TimeProvider time,
        ILogger logger,
        LoopBackoff? backoff = null,
        BackgroundLoops? registry = null
    )
    {
        Name = name;
        _body = body;
        _time = time;
        _logger = logger;
        _backoff = backoff ?? DefaultBackoff;
        _registry = registry;
    }

    public string Name { get; }

    /// <summary>Faults since the last success.</summary>
    public int ConsecutiveFaults => Volatile.Read(ref _faults);

    /// <summary>The last fault since the last success; null while the loop works.</summary>
    public Exception? LastFault => Volatile.Read(ref _lastFault);

    public bool IsFailing => ConsecutiveFaults >= FailingAfter;

    /// <summary>Completes when the loop has ended. Never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Creates a loop that does <paramref name="work"/> at intervals, for the first time after one interval. After a fault it
    /// tries again after the back-off.</summary>
    /// <param name="name">Names the loop.</param>
    /// <param name="interval">Asked before each wait.</param>
    /// <param name="work">One round.</param>
    /// <param name="time">Measures intervals and the back-off.</param>
    /// <param name="logger">Logs faults.</param>
    /// <param name="registry">Reports the loop to the health check.</param>
    public static BackgroundLoop Periodic(
        string name,
        Func<TimeSpan> interval,
        Func<CancellationToken, Task> work,
        TimeProvider time,
        ILogger logger,
        BackgroundLoops? registry = null
    ) =>
        new(
            name,
            async (loop, stopping) =>
            {
                while (true)
                {
                    if (loop.ConsecutiveFaults == 0)
                        await Task.Delay(interval(), time, stopping);
                    await work(stopping);
                    loop.ReportSuccess();
                }
            },
            time,
            logger,
            registry: registry
        );

    /// <summary>Starts the loop. The body runs on the calling thread up to its first wait.</summary>
    public void Start()
    {
        _registry?.Add(this);
        // Without the caller's context: its span would become the parent of all that this loop does.
        if (ExecutionContext.IsFlowSuppressed())
        {
            Completion = RunAsync();
            return;
        }
        using (ExecutionContext.SuppressFlow())
            Completion = RunAsync();
    }

    /// <summary>Cancels the body or the back-off, and waits for the end.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await _stopping.CancelAsync();
        await Completion.WaitAsync(cancellationToken);
    }

    /// <summary>Stops the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    /// <summary>Resets the back-off.</summary>
    public void ReportSuccess()
    {
        if (Interlocked.Exchange(ref _faults, 0) == 0)
            return;
        Volatile.Write(ref _lastFault, null);
        LogRecovered(Name);
    }

    /// <summary>Logs and counts a fault. Only for a body that waits out the back-off itself.</summary>
    /// <returns>How long to wait before the next attempt.</returns>
    public TimeSpan ReportFault(Exception fault)
    {
        Volatile.Write(ref _lastFault, fault);
        var delay = _backoff.Delay(Interlocked.Increment(ref _faults));
        LogFault(fault, Name, delay);
        return delay;
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                try
                {
                    await _body(this, _stopping.Token);
                    return;
                }
                catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
                {
                    return;
                }
#pragma warning disable CA1031 // supervises: any fault is logged, and the body starts again
                catch (Exception fault)
#pragma warning restore CA1031
                {
                    // The body may fail with anything while it is being stopped.
                    if (_stopping.IsCancellationRequested)
                        return;
                    await Task.Delay(ReportFault(fault), _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        finally
        {
            _registry?.Remove(this);
        }
    }

    [LoggerMessage(
        1240,
        LogLevel.Warning,
        "Background loop '{Loop}' failed; retrying in {Delay}. Its work is delayed. If this repeats, correct the cause in the exception."
    )]
    private partial void LogFault(Exception fault, string loop, TimeSpan delay);

    [LoggerMessage(1241, LogLevel.Information, "Background loop '{Loop}' recovered.")]
    private partial void LogRecovered(string loop);
}

/// <summary>The back-off of a loop: doubles with each consecutive fault, with 50 to 100 % jitter.</summary>
/// <param name="First">Longest delay after the first fault.</param>
/// <param name="Max">Longest delay.</param>
internal sealed record LoopBackoff(TimeSpan First, TimeSpan Max)
{
    /// <param name="faults">Consecutive faults, from 1.</param>
    public TimeSpan Delay(int faults)
    {
        var longest = First * Math.Pow(2, Math.Min(faults - 1, 30));
        return (longest < Max ? longest : Max) * (0.5 + (Random.Shared.NextDouble() / 2));
    }
}
