using System.Text;
using Dunlin.Fanout;
using Dunlin.Interleavings.Tests.Exploring;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>A peer that checks that one thread at a time writes to it. It can stop reading.</summary>
internal sealed class ScenarioSink : IFrameSink
{
    private readonly StringBuilder _received = new();
    private TaskCompletionSource? _held;
    private bool _isBusy;
    private bool _isAborted;

    /// <summary>Gets the values of the received events, separated by spaces.</summary>
    public string Received =>
        string.Join(
            ' ',
            _received
                .ToString()
                .Split('\n')
                .Where(static line => line.StartsWith("data: \"", StringComparison.Ordinal))
                .Select(static line => line[7..^1])
        );

    public int Flushes { get; private set; }

    public void Hold() => _held = new TaskCompletionSource();

    public void LetGo()
    {
        ControlPoints.Atomic("release of the peer", "");
        var held = _held;
        _held = null;
        held?.TrySetResult();
    }

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        Assert.False(_isBusy, "Two threads use the sink.");
        _isBusy = true;
        ControlPoints.Atomic("write to the sink", "");
        _received.Append(Encoding.UTF8.GetString(bytes.Span));
        _isBusy = false;
    }

    public ValueTask<bool> FlushAsync()
    {
        Assert.False(_isBusy, "Two threads use the sink.");
        Flushes++;
        return _held is { } held ? SlowlyAsync(held.Task) : new(!_isAborted);
    }

    public void Abort()
    {
        _isAborted = true;
        LetGo();
    }

    private async ValueTask<bool> SlowlyAsync(Task held)
    {
        _isBusy = true;
        await held;
        _isBusy = false;
        return !_isAborted;
    }
}
