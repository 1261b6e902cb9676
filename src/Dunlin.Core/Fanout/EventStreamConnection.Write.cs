using Dunlin.Scheduling;

namespace Dunlin.Fanout;

/// <content>Writes to the sink: its ownership, the queue while it is busy, and the end of the connection.</content>
public sealed partial class EventStreamConnection
{
    // The time for the peer to accept the goodbye before the connection is aborted.
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(5);

    private bool _writing; // some party owns the sink
    private bool _ownedByRound; // the owner is the shard's current round; accessed by the shard only
    private int _roundBytes;
    private List<ReadOnlyMemory<byte>>? _pending; // queued while another party owns the sink; null if empty
    private int _pendingBytes; // bytes of queued events
    private int _controlBytes; // bytes of queued frames that are not in the journal
    private bool _lagging;
    private ConnectionEnd? _end;
    private ReadOnlyMemory<byte> _farewell;
    private long _progressTick; // wheel tick at which the peer last accepted data

    /// <summary>Closes the connection. Only the first call has an effect. Sends a goodbye unless the peer is gone.</summary>
    /// <param name="end">The reason.</param>
    /// <param name="farewell">The last frame. Empty sends the default <c>dunlin.goodbye</c>, or nothing for
    /// <see cref="ConnectionEnd.Gone"/> and <see cref="ConnectionEnd.Answered"/>.</param>
    internal void Close(ConnectionEnd end, ReadOnlyMemory<byte> farewell = default)
    {
        lock (_gate)
        {
            if (_end is not null)
                return;
            _end = end;
            _farewell =
                !SendsControlFrames ? default
                : farewell.IsEmpty && end is not (ConnectionEnd.Gone or ConnectionEnd.Answered)
                    ? ControlFrames.Goodbye(end, _fanout.ReconnectDelay(end))
                : farewell;
            // Drop the queue: the caller may read nothing from now on.
            _pending = end is ConnectionEnd.SignedOut or ConnectionEnd.Revoked or ConnectionEnd.TokenExpired ? null : _pending;
            if (_writing)
            {
                _progressTick = _fanout.Wheel.Tick;
                _fanout.Wheel.Schedule(_timer, FarewellTimeout);
                return;
            }
            _writing = true;
        }
        Release();
    }

    /// <summary>Sends a frame that is not in the journal, in order with the other frames. Ignored once the connection has ended.</summary>
    /// <remarks>
    /// At most <see cref="FanoutOptions.MaxPendingBytes"/> of such frames may wait for a peer. They cannot be read again from the journal,
    /// so a connection that exceeds the limit ends with <see cref="ConnectionEnd.Failed"/>. The client resumes and loads its state again.
    /// </remarks>
    /// <param name="frame">The encoded frame.</param>
    public void Send(ReadOnlyMemory<byte> frame)
    {
        if (EndsAt(_fanout.Time.GetUtcNow().UtcTicks))
            return;
        bool isFull;
        lock (_gate)
        {
            if (_end is not null)
                return;
            if (_writing && (_controlBytes == 0 || _controlBytes + frame.Length <= _fanout.Options.MaxPendingBytes))
            {
                (_pending ??= []).Add(frame);
                _controlBytes += frame.Length;
                return;
            }
            isFull = _writing;
            _writing = true;
        }
        if (isFull)
        {
            _fanout.Instruments.Overflowed.Add(1);
            Close(ConnectionEnd.Failed);
            return;
        }
        _sink.Write(frame);
        FlushAndRelease();
    }

    /// <summary>
    /// Takes the frame of one event from the shard. Writes it if the sink is free, otherwise queues it. Call from the shard only.
    /// </summary>
    internal StageResult Stage(ReadOnlyMemory<byte> frame, long offset)
    {
        if (_end is not null)
            return StageResult.Ignored;
        if (_ownedByRound && _roundBytes > _fanout.Options.MaxPendingBytes)
            EndRound();
        var joined = false;
        if (!_ownedByRound)
        {
            lock (_gate)
            {
                if (_end is not null)
                    return StageResult.Ignored;
                if (_writing)
                    return Queue(frame, offset);
                _writing = true;
            }
            _ownedByRound = joined = true;
            _roundBytes = 0;
        }
        _sink.Write(frame);
        _roundBytes += frame.Length;
        if (offset != 0)
            SkipTo(offset);
        return joined ? StageResult.Joined : StageResult.Written;
    }

    /// <summary>Flushes the frames of this round and releases the sink.</summary>
    internal void EndRound()
    {
        if (!_ownedByRound)
            return;
        _ownedByRound = false;
        FlushAndRelease();
    }

    /// <summary>Passes the sink from a finished catch-up, which still owns it, to the shard's round.</summary>
    internal void HandOverToRound()
    {
        _ownedByRound = true;
        _roundBytes = 0;
    }

    /// <summary>Starts catch-up for a connection that the shard cannot subscribe. Call from the shard only.</summary>
    internal void FallBackToJournal()
    {
        if (!_ownedByRound)
        {
            lock (_gate)
            {
                if (_writing)
                {
                    _lagging = true;
                    return;
                }
                _writing = true;
            }
        }
        _ownedByRound = false;
        _ = Background.Run(CatchUpAsync);
    }

    private StageResult Queue(ReadOnlyMemory<byte> frame, long offset)
    {
        // The shard unsubscribes a connection that refused an event before it delivers the next one, so no event overtakes the refused one.
        // A conflating connection queues nothing, because a queued event can no longer be superseded.
        if (Conflates || _pendingBytes + frame.Length > _fanout.Options.MaxPendingBytes)
        {
            if (offset == 0)
                return StageResult.Ignored; // transient events are live only: skip them while the peer is behind
            _lagging = true;
            return StageResult.Overflowed;
        }
        (_pending ??= []).Add(frame);
        _pendingBytes += frame.Length;
        if (offset != 0)
            SkipTo(offset);
        return StageResult.Queued;
    }

    private void FlushAndRelease()
    {
        if (TryFlush())
            Release();
    }

    /// <summary>Flushes. If the peer is slow, a task completes the flush and releases the sink.</summary>
    /// <returns>Whether the flush is complete and the caller still owns the sink.</returns>
    private bool TryFlush()
    {
        var flush = _sink.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            Volatile.Write(ref _progressTick, _fanout.Wheel.Tick);
            _ = FlushSlowlyAsync(flush);
            return false;
        }
        if (!flush.Result)
            Close(ConnectionEnd.Gone);
        return true;
    }

    private async Task FlushSlowlyAsync(ValueTask<bool> flush)
    {
        bool isOpen;
        try
        {
            isOpen = await flush;
        }
#pragma warning disable CA1031 // an exception of the sink means that the peer is gone: close, or the connection would stay registered
        catch (Exception)
#pragma warning restore CA1031
        {
            isOpen = false;
        }
        if (!isOpen)
            Close(ConnectionEnd.Gone);
        Release();
    }

    /// <summary>Releases the sink: writes frames that were queued meanwhile, then finishes or catches up if needed.</summary>
    private void Release()
    {
        while (TakePending() is { } frames)
        {
            foreach (var frame in frames)
                _sink.Write(frame);
            if (!TryFlush())
                return;
        }
    }

    /// <summary>
    /// Takes the queued frames. If there are none, releases the sink, finishes the connection or starts catch-up, and returns null.
    /// </summary>
    private List<ReadOnlyMemory<byte>>? TakePending()
    {
        ConnectionEnd? end;
        lock (_gate)
        {
            Volatile.Write(ref _progressTick, _fanout.Wheel.Tick);
            end = _end;
            if (end == ConnectionEnd.Gone)
                _pending = null;
            else if (end is not null && !_farewell.IsEmpty)
                (_pending ??= []).Add(_farewell);
            _farewell = default;
            if (_pending is { } frames)
            {
                _pending = null;
                _pendingBytes = _controlBytes = 0;
                return frames;
            }
            if (end is null && !_lagging)
            {
                _writing = false;
                return null;
            }
            _lagging = false;
        }
        if (end is { } reason)
            Finish(reason);
        else
            _ = Background.Run(CatchUpAsync); // still owns the sink
        return null;
    }

    /// <summary>Unregisters a connection that was never started. The opener must not use the sink any more.</summary>
    public void Abandon()
    {
        lock (_gate)
            _end ??= ConnectionEnd.Gone;
        Finish(ConnectionEnd.Gone);
    }

    private void Finish(ConnectionEnd end)
    {
        if (Interlocked.Exchange(ref _isFinished, true))
            return;
        _fanout.Wheel.Cancel(_timer);
        // Before the completion, so that who awaits it finds the connection neither listed nor counted.
        var wasOpen = _fanout.Forget(this);
        _completion.SetResult(end);
        // After the completion, so that handlers can read the result.
        if (wasOpen)
            _fanout.Closed.Publish(this);
    }
}

/// <summary>The result of staging a frame.</summary>
internal enum StageResult
{
    /// <summary>The connection has ended, or the frame was transient and the peer is behind.</summary>
    Ignored,

    /// <summary>The frame was written; it is the connection's first in this round, and must be flushed at the end of the round.</summary>
    Joined,

    /// <summary>The frame was written.</summary>
    Written,

    /// <summary>The frame was queued behind a write in progress.</summary>
    Queued,

    /// <summary>The queue is full: the shard unsubscribes the connection, which then catches up from the journal.</summary>
    Overflowed,
}
