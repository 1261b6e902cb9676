using System.Net.Sockets;
using Dunlin.Fanout;
using Dunlin.Topics;

namespace Dunlin.Streams.Combined;

/// <summary>
/// The one body that several streams are written to. Each stream's connection waits for its turn, so back-pressure of the body
/// holds each of them at one page or queue, and each catches up from the journal by itself. Safe for concurrent use.
/// <para>
/// Invariants: one party at a time writes to the sink (<c>_isWriting</c>). Frames are written whole, behind a marker wherever the
/// bytes before were of another stream. The body ends with its last stream; from then on it takes no other.
/// </para>
/// </summary>
internal sealed class CombinedBody(string id, Caller owner, IFrameSink sink, Socket? socket, int maxStreams)
{
    // See EventStreams.ConflatedSendBuffer.
    private const int ConflatedSendBuffer = 32 * 1024;

    private readonly Lock _gate = new(); // guards _streams, _waiting, _isWriting, _isOver
    private readonly Dictionary<string, InnerSink> _streams = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<WriteTurn> _waiting = [];
    private InnerSink? _last; // whose bytes were the last; touched by the writing party alone
    private bool _isWriting;
    private bool _isOver;
    private volatile bool _isGone;

    public string Id { get; } = id;

    public string UserId => owner.UserId;

    /// <summary>Whether the peer is gone.</summary>
    public bool IsGone => _isGone;

    /// <summary>Completes when the last stream has ended and the sink is not touched any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether a caller may change it: the same user in the same session.</summary>
    public bool IsOf(Caller caller) =>
        string.Equals(caller.UserId, owner.UserId, StringComparison.Ordinal)
        && string.Equals(caller.SessionId, owner.SessionId, StringComparison.Ordinal);

    /// <summary>Adds streams, all or none.</summary>
    /// <param name="ids">The ids of the streams.</param>
    /// <param name="added">The streams; empty where the result is not <see cref="AddResult.Added"/>.</param>
    /// <param name="which">The id that is taken.</param>
    public AddResult Add(IEnumerable<string> ids, out List<InnerSink> added, out string? which)
    {
        added = [];
        which = null;
        lock (_gate)
        {
            if (_isOver)
                return AddResult.Over;
            var count = _streams.Values.Count(static stream => !stream.IsClosing);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var each in ids)
            {
                if (_streams.ContainsKey(each) || !seen.Add(each))
                {
                    which = each;
                    return AddResult.Taken;
                }
            }
            // Those that are closing count up to once again: closing is quick, and its number is to be bounded too.
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

    /// <summary>Closes a stream; one that has ended is no error.</summary>
    public void Close(string streamId)
    {
        InnerSink? stream;
        lock (_gate)
            _streams.TryGetValue(streamId, out stream);
        stream?.Close();
    }

    /// <summary>Writes the last block of a stream and forgets it.</summary>
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

    /// <summary>Writes and flushes a turn's frames, behind those of turns that came before.</summary>
    /// <returns>False where the body is over.</returns>
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

    /// <summary>Takes back a turn that waits behind others.</summary>
    /// <returns>False where it does not wait: its frames are on their way.</returns>
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

    /// <summary>Cuts the response and closes every stream.</summary>
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
        if (socket is not null && !_isGone)
            socket.SendBufferSize = ConflatedSendBuffer;
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

    /// <summary>After a flush: the next turns, or nobody writes.</summary>
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

/// <summary>What became of streams that were to be added.</summary>
internal enum AddResult
{
    /// <summary>They are part of the response.</summary>
    Added,

    /// <summary>The response has ended.</summary>
    Over,

    /// <summary>An id is in use.</summary>
    Taken,

    /// <summary>There would be too many.</summary>
    Full,
}
