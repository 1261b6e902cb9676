using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <content>
/// The transition from the journal to live delivery. The connection reads a page after <see cref="LastSentOffset"/>, writes it and flushes
/// it before it reads the next one, so that a slow peer costs one page of memory. After the last page it joins its shard. The shard
/// delivers in offset order and tracks the delivered offset. In one step of its loop it takes the events in between from the tail and
/// subscribes the connection. No event is lost, because both happen in that loop.
/// </content>
public sealed partial class EventStreamConnection
{
    // Bytes and events of one step: the most that one slow peer can hold in memory.
    private const int PageEvents = 256;
    private const int PageBytes = 256 * 1024;

    /// <summary>Sends the opening frames, then catches up and goes live. Call once.</summary>
    /// <param name="opening">The bytes to send first, such as a greeting or a snapshot.</param>
    /// <param name="start">The offset that the opening represents. The stream continues after it.</param>
    internal async Task StartAsync(ReadOnlyMemory<byte> opening, long start)
    {
        SkipTo(start);
        ScheduleNext();
        _sink.Write(opening);
        if (await _sink.FlushAsync())
            _sink = _sink.Continue(this);
        else
            Close(ConnectionEnd.Gone);
        await CatchUpAsync();
    }

    /// <summary>
    /// Reads and writes pages until the connection is live or closed. Owns the sink throughout, then passes it to the shard or calls
    /// <see cref="Release"/>.
    /// </summary>
    private async Task CatchUpAsync()
    {
        try
        {
            var backlog = Conflates ? new Backlog(PageEvents, PageBytes) : null;
            var read = LastSentOffset;
            while (_end is null)
            {
                var page = await _fanout.ReadAsync(Topics, Patterns, Selectors, read);
                if (EndsAt(_fanout.Time.GetUtcNow().UtcTicks))
                    break;
                if (page.Trimmed && SendsControlFrames)
                    Reset(ResetReason.Trimmed, read, ref page, backlog);
                read = Math.Max(read, page.Through);
                Volatile.Write(ref _progressTick, _fanout.Wheel.Tick);
                if (backlog is not null && !Collect(ref page, backlog))
                    continue;
                WritePage(page);
                SkipTo(read);
                if (page.Events.Count > 0 && !await _sink.FlushAsync())
                {
                    Close(ConnectionEnd.Gone);
                    break;
                }
                // Continue on the pages: the hand-over would send events that arrived meanwhile one by one, without conflation.
                var isBehind = page.HasMore || (backlog is not null && read < _fanout.DeliveredHead.Offset);
                if (!isBehind)
                {
                    Shard.Join(this);
                    return;
                }
            }
        }
#pragma warning disable CA1031 // an error of the journal ends this connection, never the process
        catch (Exception error)
#pragma warning restore CA1031
        {
            _fanout.LogCatchUpFailed(error, Id);
            Close(ConnectionEnd.Failed);
        }
        Release();
    }

    // The position must not lie before what was read: this node may be behind the one that sent the reader's last event, and behind the
    // removed events. A position before these would cause another reset.
    private void Reset(ResetReason reason, long read, ref JournalPage page, Backlog? backlog)
    {
        backlog?.Clear();
        var head = _fanout.DeliveredHead;
        head = head with { Offset = Math.Max(head.Offset, Math.Max(read, page.Through)) };
        _sink.Write(ControlFrames.Reset(reason, head));
        page = new JournalPage([], head.Offset, HasMore: true, Trimmed: false);
        _fanout.Instruments.Resets.Add(1);
    }

    /// <summary>Adds the events of a page to the backlog. When the backlog must be sent, replaces the events of the page with it.</summary>
    /// <returns>Whether the page now holds the backlog and must be written.</returns>
    private bool Collect(ref JournalPage page, Backlog backlog)
    {
        foreach (var entry in page.Events)
        {
            if (!LeavesOut(entry) && backlog.Add(entry))
                _fanout.Instruments.Conflated.Add(1);
        }
        if (page.HasMore && !backlog.IsFull)
            return false;
        // The remaining topics may be fewer than when the first event was read.
        page = page with
        {
            Events = backlog.Take().FindAll(Wants),
        };
        return true;
    }

    private void WritePage(JournalPage page)
    {
        foreach (var entry in page.Events)
        {
            if (entry.Position.Offset <= LastSentOffset || LeavesOut(entry) || _end is not null)
                continue;
            _sink.Write(entry.FrameFor(Format, _fanout.FormatFailed));
            EndAfter(entry);
        }
        _fanout.Instruments.CaughtUp.Add(page.Events.Count);
    }
}
