using System.Text;
using Dunlin.Fanout;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>A peer that a test controls. It can stop reading, fail, and signal the arrival of frames.</summary>
internal sealed class TestSink : IFrameSink
{
    private readonly Lock _gate = new(); // guards all fields
    private readonly MemoryStream _received = new();
    private readonly List<(Func<IReadOnlyList<TestFrame>, bool> Wanted, TaskCompletionSource<IReadOnlyList<TestFrame>> Reached)> _waiting =
    [];
    private TaskCompletionSource? _held;
    private TaskCompletionSource? _blocked;
    private int _writers;

    public bool Aborted { get; private set; }

    public int Flushes { get; private set; }

    public int UnflushedBytes { get; private set; }

    /// <summary>Blocks flushes from now on. The task completes when one waits.</summary>
    public Task Hold()
    {
        lock (_gate)
        {
            if (_held is null)
            {
                _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            return _blocked!.Task;
        }
    }

    public void LetGo()
    {
        TaskCompletionSource? held;
        lock (_gate)
            (held, _held) = (_held, null);
        held?.TrySetResult();
    }

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        Assert.Equal(1, Interlocked.Increment(ref _writers));
        lock (_gate)
        {
            _received.Write(bytes.Span);
            UnflushedBytes += bytes.Length;
        }
        Interlocked.Decrement(ref _writers);
    }

    public ValueTask<bool> FlushAsync()
    {
        Task? held;
        lock (_gate)
        {
            Flushes++;
            if (Aborted)
                return new(false);
            held = _held?.Task;
            if (held is null)
                UnflushedBytes = 0;
            else
                _blocked!.TrySetResult();
        }
        if (held is not null)
            return SlowFlushAsync(held);
        Tell();
        return new(true);
    }

    public void Abort()
    {
        lock (_gate)
            Aborted = true;
        LetGo();
    }

    /// <summary>The complete received text.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
                return Encoding.UTF8.GetString(_received.ToArray());
        }
    }

    /// <summary>All received frames, without comments and retry lines.</summary>
    public IReadOnlyList<TestFrame> Frames
    {
        get
        {
            lock (_gate)
                return TestFrame.Parse(Encoding.UTF8.GetString(_received.ToArray()));
        }
    }

    /// <summary>Completes with the frames when they satisfy the condition. Fails after a while with the received frames.</summary>
    public async Task<IReadOnlyList<TestFrame>> WhenAsync(Func<IReadOnlyList<TestFrame>, bool> wanted)
    {
        var reached = new TaskCompletionSource<IReadOnlyList<TestFrame>>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiting.Add((wanted, reached));
        Tell();
        try
        {
            return await reached.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"Not reached. {Frames.Count} frames: {string.Join(" | ", Frames.TakeLast(20))}", error);
        }
    }

    public Task<IReadOnlyList<TestFrame>> WhenCountAsync(int count) => WhenAsync(frames => frames.Count >= count);

    private async ValueTask<bool> SlowFlushAsync(Task held)
    {
        await held;
        lock (_gate)
            UnflushedBytes = 0;
        Tell();
        return !Aborted;
    }

    private void Tell()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return;
            var frames = Frames;
            _waiting.RemoveAll(w => w.Wanted(frames) && w.Reached.TrySetResult(frames));
        }
    }
}

/// <summary>One frame as a peer reads it.</summary>
internal sealed record TestFrame(string? Id, string? Name, string Data)
{
    public long Offset => Id is null ? 0 : long.Parse(Id.Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);

    public static IReadOnlyList<TestFrame> Parse(string text)
    {
        var frames = new List<TestFrame>();
        foreach (var block in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string? id = null,
                name = null;
            var data = new List<string>();
            foreach (var line in block.Split('\n'))
            {
                if (line.StartsWith("id: ", StringComparison.Ordinal))
                    id = line[4..];
                else if (line.StartsWith("event: ", StringComparison.Ordinal))
                    name = line[7..];
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                    data.Add(line[6..]);
            }
            if (data.Count > 0)
                frames.Add(new TestFrame(id, name, string.Join('\n', data)));
        }
        return frames;
    }
}
