using Dunlin.Server.Commands;

namespace Dunlin.Server.Tests.Support;

/// <summary>A command that runs in this process until it is interrupted.</summary>
internal sealed class Running : IAsyncDisposable
{
    private readonly StringWriter _output = new();
    private readonly TextWriter _shared;
    private readonly CancellationTokenSource _stop;

    private Running(CancellationTokenSource stop, string[] arguments)
    {
        _stop = stop;
        _shared = TextWriter.Synchronized(_output);
        Ended = Task.Run(() => CommandLine.RunAsync(arguments, _shared, _shared, stop.Token));
    }

    /// <summary>Gets the exit code.</summary>
    public Task<int> Ended { get; }

    public static Running Start(CancellationTokenSource stop, string[] arguments) => new(stop, arguments);

    /// <summary>Waits until the output contains a text.</summary>
    public Task WhenAsync(string text) => Eventually.TrueAsync(() => Text().Contains(text, StringComparison.Ordinal), Text);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended;
        await _output.DisposeAsync();
    }

    private string Text()
    {
        // The lock of TextWriter.Synchronized.
        lock (_shared)
            return _output.ToString();
    }
}
