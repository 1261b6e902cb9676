using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// Holds back one shard of a node in the middle of delivering an event, as readers that cost much time do. The node closes it, and so ends
/// the hold, as any reader that takes nothing for the write time-out.
/// </summary>
internal sealed class HeldShard : IFrameSink, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TopicName Topic = TopicName.Parse("held");

    private readonly ManualResetEventSlim _released = new();
    private volatile TaskCompletionSource? _reached; // set while it holds
    private volatile bool _hasEvent;

    /// <summary>Completes when the shard is held.</summary>
    /// <param name="fanout">The fan-out of the node.</param>
    /// <param name="journal">The journal that gets the event, also of another node.</param>
    public static async Task<HeldShard> BeginAsync(EventFanout fanout, IJournal journal)
    {
        var shard = new HeldShard();
        var connection = fanout.Open(
            new ConnectionRequest(new Caller("reader", "reader"), [Topic], shard) { Heartbeat = TimeSpan.Zero, IsPresent = false }
        );
        await fanout.StartAsync(connection, default, fanout.DeliveredHead);
        await fanout.SettledAsync();
        await shard.HoldAsync(journal);
        return shard;
    }

    /// <summary>Holds back the shard at one more event.</summary>
    /// <param name="journal">The journal that gets the event.</param>
    public async Task HoldAsync(IJournal journal)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _released.Reset();
        _hasEvent = false;
        _reached = reached;
        await journal.AppendAsync(EventDraft.Of(Topic, "e", "event"));
        await reached.Task.WaitAsync(Deadline);
    }

    public void Release()
    {
        _reached = null;
        _released.Set();
    }

    public void Write(ReadOnlyMemory<byte> bytes) => _hasEvent = true;

    public ValueTask<bool> FlushAsync()
    {
        // The round in which the connection joined may still end with a flush, without an event.
        if (_hasEvent && _reached is { } reached)
        {
            reached.TrySetResult();
            _released.Wait(Deadline);
        }
        return new(true);
    }

    public void Abort() => Release();

    // The event stays set: the shard may still wait for it.
    public void Dispose() => Release();
}
