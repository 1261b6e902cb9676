using Microsoft.Extensions.Logging;

namespace Dunlin.Scheduling;

/// <summary>Runs a background task of a node until it is stopped. Thread-safe, but call <see cref="Start"/> once only.</summary>
/// <remarks>
/// An exception of the body is logged, and the body is restarted after a back-off. The back-off doubles with each consecutive fault up to a
/// maximum, with 50 to 100 % jitter. The loop ends when the body returns.
/// </remarks>
internal sealed partial class BackgroundLoop : IAsyncDisposable
{
    /// <summary>
    /// The number of consecutive faults after which the health check reports the loop. A single fault may be a replaced connection.
    /// </summary>
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

    /// <summary>Creates a loop. Call <see cref="Start"/> to run it.</summary>
    /// <param name="name">The name in the log and in the health check, for example <c>retention</c>.</param>
    /// <param name="body">Runs until its token is cancelled. Must call <see cref="ReportSuccess"/> after each successful round.</param>
    /// <param name="time">The time provider for the back-off.</param>
    /// <param name="logger">Logs faults.</param>
    /// <param name="backoff">The back-off. Default: 1 to 30 seconds.</param>
    /// <param name="registry">Reports the loop to the health check; null if another check covers it.</param>
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

    /// <summary>Gets the number of faults since the last success.</summary>
    public int ConsecutiveFaults => Volatile.Read(ref _faults);

    /// <summary>Gets the last fault since the last success; null while the loop works.</summary>
    public Exception? LastFault => Volatile.Read(ref _lastFault);

    public bool IsFailing => ConsecutiveFaults >= FailingAfter;

    /// <summary>Gets a task that completes when the loop has ended. It never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Creates a loop that runs <paramref name="work"/> after each interval. After a fault it retries after the back-off instead.
    /// </summary>
    /// <param name="name">The name of the loop.</param>
    /// <param name="interval">Returns the interval; called before each wait.</param>
    /// <param name="work">One round of work.</param>
    /// <param name="time">The time provider for the intervals and the back-off.</param>
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

    /// <summary>Starts the loop. The body runs on the calling thread until its first asynchronous wait.</summary>
    public void Start()
    {
        _registry?.Add(this);
        // Drop the caller's context: its span would become the parent of all work of this loop.
        if (ExecutionContext.IsFlowSuppressed())
        {
            Completion = RunAsync();
            return;
        }
        using (ExecutionContext.SuppressFlow())
            Completion = RunAsync();
    }

    /// <summary>Cancels the body or the back-off, and waits until the loop has ended.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await Background.CancelAsync(_stopping);
        await Completion.WaitAsync(cancellationToken);
    }

    /// <summary>Stops the loop and releases its resources.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    /// <summary>Resets the count of faults and the back-off.</summary>
    public void ReportSuccess()
    {
        if (Interlocked.Exchange(ref _faults, 0) == 0)
            return;
        Volatile.Write(ref _lastFault, null);
        LogRecovered(Name);
    }

    /// <summary>Counts a fault. For bodies that log it and wait themselves.</summary>
    public void CountFault(Exception fault)
    {
        Volatile.Write(ref _lastFault, fault);
        Interlocked.Increment(ref _faults);
    }

    /// <summary>Logs and counts a fault. For bodies that wait for the back-off themselves.</summary>
    /// <returns>The time to wait before the next attempt.</returns>
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
#pragma warning disable CA1031 // any fault is logged, and the body is restarted
                catch (Exception fault)
#pragma warning restore CA1031
                {
                    // Ignore faults of a body that is being stopped.
                    if (_stopping.IsCancellationRequested)
                        return;
                    await Task.Delay(ReportFault(fault), _time, _stopping.Token)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | Background.Context);
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

/// <summary>The back-off of a loop. It doubles with each consecutive fault, with 50 to 100 % jitter.</summary>
/// <param name="First">The maximum delay after the first fault.</param>
/// <param name="Max">The maximum delay.</param>
internal sealed record LoopBackoff(TimeSpan First, TimeSpan Max)
{
    /// <param name="faults">The number of consecutive faults, from 1.</param>
    public TimeSpan Delay(int faults)
    {
        var longest = First * Math.Pow(2, Math.Min(faults - 1, 30));
        return (longest < Max ? longest : Max) * (0.5 + (Background.Random.NextDouble() / 2));
    }
}
