using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <content>
/// From the journal to live. A page is read after <see cref="LastSentOffset"/>, written, and flushed before the next is read, so
/// that a slow peer costs one page. When there is no more, the connection asks its shard to join. The shard delivers in
/// offset order and knows how far it has come, so it can tell exactly which events (if any) lie between; it takes those from
/// the tail and seats the connection in the same step. Nothing can fall between, because both happen in the shard's loop.
/// </content>
public sealed partial class Connection
{
    // Bytes and events of one step: what one slow peer can hold in memory.
    private const int PageEvents = 256;
    private const int PageBytes = 256 * 1024;

    /// <summary>Sends the opening frames and goes live. Call once.</summary>
    /// <param name="opening">Written before anything else, such as a greeting or a snapshot.</param>
    /// <param name="start">The position the opening stands for; the stream goes on from here.</param>
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

    /// <summary>Owns the sink from beginning to end; ends by handing it to the shard, or by <see cref="Release"/> if closed.</summary>
    // No BackgroundLoop: there is one for each connection that is behind, and a fault ends that connection instead of being retried.
    private async Task CatchUpAsync()
    {
        try
        {
            var backlog = Conflates ? new Backlog(PageEvents, PageBytes) : null;
            var read = LastSentOffset;
            while (_end is null)
            {
                var page = await _fanout.ReadAsync(Topics, Patterns, read);
                if (page.Trimmed)
                    Reset(ResetReason.Trimmed, ref page, backlog);
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
                // What came while it was written would be handed over event by event.
                var isBehind = page.HasMore || (backlog is not null && read < _fanout.DeliveredHead.Offset);
                if (!isBehind)
                {
                    Shard.Join(this);
                    return;
                }
            }
        }
#pragma warning disable CA1031 // whatever the journal throws ends this connection, never the process
        catch (Exception error)
#pragma warning restore CA1031
        {
            _fanout.LogCatchUpFailed(error, Id);
            Close(ConnectionEnd.Failed);
        }
        Release();
    }

    private void Reset(ResetReason reason, ref JournalPage page, Backlog? backlog)
    {
        backlog?.Clear();
        var head = _fanout.DeliveredHead;
        _sink.Write(ControlFrames.Reset(reason, head));
        page = new JournalPage([], head.Offset, HasMore: true, Trimmed: false);
        _fanout.Instruments.Resets.Add(1);
    }

    /// <summary>Puts a page on the backlog, and the whole backlog in its place when it is to be sent.</summary>
    /// <returns>Whether it is.</returns>
    private bool Collect(ref JournalPage page, Backlog backlog)
    {
        foreach (var entry in page.Events)
        {
            if (!LeavesOut(entry) && backlog.Add(entry))
                _fanout.Instruments.Conflated.Add(1);
        }
        if (page.HasMore && !backlog.IsFull)
            return false;
        // Rights may have shrunk since the first of it was read.
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
            if (entry.Position.Offset > LastSentOffset && !LeavesOut(entry))
                _sink.Write(entry.FrameFor(Format, _fanout.FormatFailed));
        }
        _fanout.Instruments.CaughtUp.Add(page.Events.Count);
    }
}
