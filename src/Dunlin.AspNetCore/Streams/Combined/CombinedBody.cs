using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Sse;
using Dunlin.Topics;

namespace Dunlin.Streams.Combined;

/// <summary>The shared body of several streams. Thread-safe.</summary>
/// <remarks>
/// Each stream waits for its turn to write. Back-pressure of the body therefore holds each stream at one page or queue, and each stream
/// catches up from the journal independently.
/// <para>Invariants:</para>
/// <list type="bullet">
/// <item>One writer at a time uses the sink (<c>_isWriting</c>).</item>
/// <item>Frames are written whole. A marker precedes a frame if the previous bytes belonged to another stream.</item>
/// <item>The body ends with its last stream, and accepts no stream after that.</item>
/// </list>
/// </remarks>
internal sealed class CombinedBody(string id, Caller owner, IFrameSink sink, Socket? socket, int maxStreams)
{
    private readonly Lock _gate = new(); // guards _streams, _waiting, _isWriting, _isOver
    private readonly Dictionary<string, InnerSink> _streams = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<WriteTurn> _waiting = [];
    private InnerSink? _last; // the stream of the last written bytes; only the current writer may access it
    private bool _isWriting;
    private bool _isOver;
    private volatile bool _isGone;

    public string Id { get; } = id;

    public string UserId => owner.UserId;

    /// <summary>Gets whether the client has disconnected.</summary>
    public bool IsGone => _isGone;

    /// <summary>Gets a task that completes when the last stream has ended and no writer uses the sink any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Returns whether a caller may change the response: only the same user in the same session.</summary>
    public bool IsOf(Caller caller) =>
        string.Equals(caller.UserId, owner.UserId, StringComparison.Ordinal)
        && string.Equals(caller.SessionId, owner.SessionId, StringComparison.Ordinal);

    /// <summary>Adds streams, all or none.</summary>
    /// <param name="ids">The ids of the streams.</param>
    /// <param name="closing">The ids of streams that the caller closes right after this call. They count as closing.</param>
    /// <param name="added">The streams. Empty unless the result is <see cref="AddResult.Added"/>.</param>
    /// <param name="which">The id that is in use, if the result is <see cref="AddResult.Taken"/>.</param>
    public AddResult Add(IEnumerable<string> ids, IReadOnlyCollection<string> closing, out List<InnerSink> added, out string? which)
    {
        added = [];
        which = null;
        lock (_gate)
        {
            if (_isOver)
                return AddResult.Over;
            var count = _streams.Values.Count(stream => !stream.IsClosing && !closing.Contains(stream.Id));
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var each in ids)
            {
                if (_streams.ContainsKey(each) || !seen.Add(each))
                {
                    which = each;
                    return AddResult.Taken;
                }
            }
            // Closing streams have a separate limit of the same size: a stream closes quickly, but the number must have a bound.
            if (count + seen.Count > maxStreams || _streams.Count + seen.Count > 2 * maxStreams)
                return AddResult.Full;
            foreach (var each in seen)
            {
                var stream = new InnerSink(this, each);
                _streams.Add(each, stream);
                added.Add(stream);
            }
        }
        return AddResult.Added;
    }

    /// <summary>Closes a stream. The call has no effect if the stream has ended.</summary>
    public void Close(string streamId)
    {
        InnerSink? stream;
        lock (_gate)
            _streams.TryGetValue(streamId, out stream);
        stream?.Close();
    }

    /// <summary>Writes the last block of a stream and removes the stream.</summary>
    public async Task RemoveAsync(InnerSink stream, ReadOnlyMemory<byte> lastBlock)
    {
        await WriteAsync(lastBlock);
        lock (_gate)
        {
            _streams.Remove(stream.Id);
            _isOver |= _streams.Count == 0;
            if (_streams.Count > 0 || _isWriting)
                return;
        }
        _ended.TrySetResult();
    }

    /// <summary>Writes a block that belongs to no stream.</summary>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> block)
    {
        var turn = new WriteTurn(stream: null);
        turn.Frames.Add(block);
        return WriteAsync(turn);
    }

    /// <summary>Writes and flushes the frames of a turn, after those of earlier turns.</summary>
    /// <returns>False if the body has ended.</returns>
    public ValueTask<bool> WriteAsync(WriteTurn turn)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                turn.Frames.Clear();
                return new(false);
            }
            if (_isWriting)
            {
                var written = turn.WaitAsync();
                _waiting.Add(turn);
                return written;
            }
            _isWriting = true;
        }
        Put(turn);
        var flush = sink.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
            return FinishAsync(flush);
        Settle(flush.Result);
        return new(flush.Result);
    }

    /// <summary>Withdraws a turn that waits behind others.</summary>
    /// <returns>False if the turn does not wait: its frames are being written.</returns>
    public bool TryTakeBack(WriteTurn turn)
    {
        lock (_gate)
        {
            if (!_waiting.Remove(turn))
                return false;
            turn.Frames.Clear();
        }
        turn.Complete(isOpen: false);
        return true;
    }

    /// <summary>Aborts the response and closes all streams.</summary>
    public void Abort()
    {
        List<InnerSink> streams;
        lock (_gate)
        {
            if (_isGone)
                return;
            _isGone = _isOver = true;
            streams = [.. _streams.Values];
        }
        sink.Abort();
        foreach (var stream in streams)
            stream.Close();
    }

    public void LimitSendBuffer()
    {
        if (!_isGone)
            StreamSockets.LimitSendBuffer(socket);
    }

    private void Put(WriteTurn turn)
    {
        if (turn.Stream is { } stream && stream != _last)
            sink.Write(stream.Marker);
        _last = turn.Stream;
        foreach (var frame in turn.Frames)
            sink.Write(frame);
        turn.Frames.Clear();
    }

    private async ValueTask<bool> FinishAsync(ValueTask<bool> flush)
    {
        var isOpen = await flush;
        Settle(isOpen);
        return isOpen;
    }

    /// <summary>Starts the waiting turns after a flush, or marks the sink as free.</summary>
    private void Settle(bool isOpen)
    {
        if (!isOpen)
            Abort();
        if (TakeWaiting() is { } turns)
            _ = WriteAllAsync(turns);
    }

    private async Task WriteAllAsync(List<WriteTurn>? turns)
    {
        while (turns is not null)
        {
            foreach (var turn in turns)
                Put(turn);
            var isOpen = await sink.FlushAsync();
            if (!isOpen)
                Abort();
            foreach (var turn in turns)
                turn.Complete(isOpen);
            turns = TakeWaiting();
        }
    }

    private List<WriteTurn>? TakeWaiting()
    {
        lock (_gate)
        {
            if (_waiting.Count > 0)
            {
                var turns = _waiting;
                _waiting = [];
                return turns;
            }
            _isWriting = false;
            if (!_isOver || _streams.Count > 0)
                return null;
        }
        _ended.TrySetResult();
        return null;
    }
}

/// <summary>The result of adding streams.</summary>
internal enum AddResult
{
    /// <summary>The streams are part of the response.</summary>
    Added,

    /// <summary>The response has ended.</summary>
    Over,

    /// <summary>A stream id is in use.</summary>
    Taken,

    /// <summary>The response would have too many streams.</summary>
    Full,
}
