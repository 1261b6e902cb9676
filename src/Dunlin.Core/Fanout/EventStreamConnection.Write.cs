namespace Dunlin.Fanout;

/// <content>Writing: who owns the sink, the queue while it is busy, and the end.</content>
public sealed partial class EventStreamConnection
{
    // How long a peer may take to accept the goodbye before it is cut.
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(5);

    private bool _writing; // somebody owns the sink
    private bool _ownedByRound; // ... and it is the shard's current round; touched by the shard alone
    private int _roundBytes;
    private List<ReadOnlyMemory<byte>>? _pending; // queued while another owns the sink; null while there is nothing
    private int _pendingBytes; // of events
    private int _controlBytes; // of frames that are no events of the journal
    private bool _lagging;
    private ConnectionEnd? _end;
    private ReadOnlyMemory<byte> _farewell;
    private long _progressTick; // the wheel's tick when the peer last accepted something

    /// <summary>Ends the connection; the first end counts. A goodbye is sent where the peer can still hear it.</summary>
    /// <param name="end">Why.</param>
    /// <param name="farewell">The last frame; empty sends none.</param>
    public void Close(ConnectionEnd end, ReadOnlyMemory<byte> farewell = default)
    {
        lock (_gate)
        {
            if (_end is not null)
                return;
            _end = end;
            _farewell = farewell.IsEmpty && end != ConnectionEnd.Gone ? ControlFrames.Goodbye(end, _fanout.ReconnectDelay(end)) : farewell;
            // Drop the queue: access was revoked.
            _pending = end is ConnectionEnd.SignedOut or ConnectionEnd.Revoked ? null : _pending;
            if (_writing)
            {
                _progressTick = _fanout.Wheel.Tick;
                _fanout.Wheel.Schedule(this, FarewellTimeout);
                return;
            }
            _writing = true;
        }
        Release();
    }

    /// <summary>Sends a frame that is no event of the journal, in turn with the others. As many bytes of them as of events may wait for
    /// a peer (<see cref="FanoutOptions.MaxPendingBytes"/>); the journal does not have them, so one that falls further behind is ended
    /// with <see cref="ConnectionEnd.Failed"/>, and learns anew when it resumes.</summary>
    public void Send(ReadOnlyMemory<byte> frame)
    {
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

    /// <summary>Takes one event's frame, from the shard only. Writes at once if the sink is free, else queues.</summary>
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

    /// <summary>Flushes what this round of the shard wrote and lets go of the sink.</summary>
    internal void EndRound()
    {
        if (!_ownedByRound)
            return;
        _ownedByRound = false;
        FlushAndRelease();
    }

    /// <summary>The shard takes over the sink from a finished catch-up, which still owns it.</summary>
    internal void HandOverToRound()
    {
        _ownedByRound = true;
        _roundBytes = 0;
    }

    /// <summary>From the shard, for a connection that it cannot seat: catch up (again).</summary>
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
        _ = Task.Run(CatchUpAsync);
    }

    private StageResult Queue(ReadOnlyMemory<byte> frame, long offset)
    {
        // Once lagging, always refused, although the queue may have been taken since: what follows a refused event must not
        // be accepted before it. One that conflates queues nothing: what a queue holds cannot be superseded any more.
        if (_lagging || Conflates || _pendingBytes + frame.Length > _fanout.Options.MaxPendingBytes)
        {
            if (offset == 0)
                return StageResult.Ignored; // transient: live only, so a reader that is behind goes without
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

    /// <summary>Flushes; where the peer does not keep up, the rest goes on when it does.</summary>
    /// <returns>Whether the flush is over and the caller still owns the sink.</returns>
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
#pragma warning disable CA1031 // whatever a sink throws, its peer is gone: the connection must end, or it is never forgotten
        catch (Exception)
#pragma warning restore CA1031
        {
            isOpen = false;
        }
        if (!isOpen)
            Close(ConnectionEnd.Gone);
        Release();
    }

    /// <summary>Lets go of the sink: first whatever was queued meanwhile, then what the state asks for.</summary>
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

    /// <summary>Takes the queue; where it is empty, lets go of the sink, or finishes, or catches up.</summary>
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
            _ = Task.Run(CatchUpAsync); // still owns the sink
        return null;
    }

    /// <summary>Forgets a connection that never started: its opener has given up and touches the sink no more.</summary>
    public void Abandon()
    {
        lock (_gate)
            _end ??= ConnectionEnd.Gone;
        Finish(ConnectionEnd.Gone);
    }

    private void Finish(ConnectionEnd end)
    {
        _fanout.Wheel.Cancel(this);
        if (_completion.TrySetResult(end))
            _fanout.Forget(this);
    }
}

/// <summary>What became of a staged frame.</summary>
internal enum StageResult
{
    /// <summary>The connection is ending, or the frame was transient and the peer behind.</summary>
    Ignored,

    /// <summary>Written; the connection is new in this round and must be flushed at its end.</summary>
    Joined,

    /// <summary>Written.</summary>
    Written,

    /// <summary>Queued behind a write that is under way.</summary>
    Queued,

    /// <summary>The queue is full: the shard lets go, and the connection catches up from the journal.</summary>
    Overflowed,
}
