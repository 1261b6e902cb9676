namespace Dunlin.Fuzz.Engine;

/// <summary>Ends the program when the target does not return from an input. Thread-safe.</summary>
/// <param name="limit">The time for one input.</param>
/// <param name="report">Called once with the input, on another thread. The program ends afterwards.</param>
internal sealed class Watchdog : IDisposable
{
    // Code that hangs cannot be stopped, so the rest of the run is lost.
    public const int ExitCode = 3;

    private readonly TimeSpan _limit;
    private readonly Action<byte[]> _report;
    private readonly Timer _timer;
    private byte[]? _input;
    private byte[]? _seen;

    public Watchdog(TimeSpan limit, Action<byte[]> report)
    {
        (_limit, _report) = (limit, report);
        _timer = new Timer(_ => Look(), null, limit, limit);
    }

    public void Begin(byte[] input) => Volatile.Write(ref _input, input);

    public void End() => Volatile.Write(ref _input, null);

    public void Dispose() => _timer.Dispose();

    // An input that two looks find is at least one limit old.
    private void Look()
    {
        var input = Volatile.Read(ref _input);
        if (input is null || !ReferenceEquals(input, _seen))
        {
            _seen = input;
            return;
        }
        _report(input);
        Environment.Exit(ExitCode);
    }
}
