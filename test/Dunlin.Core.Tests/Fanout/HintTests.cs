using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Commit notifications of another node that arrive during the journal read for a gap.</summary>
public sealed class HintTests : IDisposable
{
    private readonly TestNode _writer = new();
    private readonly List<IReadOnlyList<DunlinEvent>> _hints = [];
    private readonly HeldJournal _journal;
    private readonly TestNode _node;

    public HintTests()
    {
        _writer.Feed.Committed.Subscribe(_hints.Add);
        _journal = new HeldJournal(_writer.Store);
        _node = new TestNode(decorate: _ => _journal);
    }

    [Fact]
    public async Task Gap_fill_stops_at_the_first_buffered_notification()
    {
        var sink = new TestSink();
        await _node.ConnectAsync(sink, "t");
        await PublishAsync(2);
        Hint(2);
        await _journal.Reading;
        await PublishAsync(8);
        for (var i = 10; i > 2; i--)
            Hint(i);
        _journal.LetGo();
        Assert.Equal(Enumerable.Range(1, 10).Select(n => (long)n), (await sink.WhenCountAsync(10)).Select(f => f.Offset));
        Assert.Equal(1, _journal.Reads);
    }

    [Fact]
    public async Task A_notification_that_closes_the_gap_is_delivered_at_once_without_repeat()
    {
        var sink = new TestSink();
        await _node.ConnectAsync(sink, "t");
        await PublishAsync(3);
        Hint(3);
        await _journal.Reading;
        Hint(2);
        Hint(1);
        Assert.Equal([1, 2, 3], (await sink.WhenCountAsync(3)).Select(f => f.Offset));
        _journal.LetGo();
        await PublishAsync(1);
        Hint(4);
        Assert.Equal([1, 2, 3, 4], (await sink.WhenCountAsync(4)).Select(f => f.Offset));
    }

    [Fact]
    public async Task A_late_notification_of_an_older_head_ends_no_gap_fill()
    {
        var sink = new TestSink();
        await _node.ConnectAsync(sink, "t");
        await PublishAsync(3);
        Reach(3);
        await _journal.Reading;
        await PublishAsync(2);
        Reach(5);
        Reach(2);
        _journal.LetGo();
        Assert.Equal([1, 2, 3, 4, 5], (await sink.WhenCountAsync(5)).Select(f => f.Offset));
    }

    [Fact]
    public async Task Notifications_above_the_buffer_are_read_from_the_journal()
    {
        var sink = new TestSink();
        await _node.ConnectAsync(sink, "other");
        await PublishAsync(2);
        Hint(2);
        await _journal.Reading;
        await PublishAsync(5_000);
        for (var i = 5_002; i > 2; i--)
            Hint(i);
        _journal.LetGo();
        await _writer.PublishAsync("other", "last");
        Hint(5_003);
        Assert.Equal(5_003, (await sink.WhenCountAsync(1))[0].Offset);
        Assert.True(_journal.Reads > 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task G2_Events_trimmed_before_the_gap_fill_cause_a_reset_for_their_readers(bool isSomethingLeft)
    {
        TestSink trimmed = new(),
            kept = new();
        await _node.ConnectAsync(trimmed, "t");
        await _node.ConnectAsync(kept, "kept");
        _journal.LetGo();
        await PublishAsync(5);
        if (isSomethingLeft)
            await _writer.PublishAsync("kept", "k");
        _writer.Retention.Prefixes["t"] = new RetentionRule { MaxAge = TimeSpan.FromMinutes(1) };
        _writer.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(5, await _writer.Journal.TrimAsync(TestContext.Current.CancellationToken));
        Hint(_hints.Count);
        Assert.Equal("dunlin.reset", (await trimmed.WhenCountAsync(1))[0].Name);
        await _writer.PublishAsync("t", "after");
        Hint(_hints.Count);
        Assert.Equal("\"after\"", (await trimmed.WhenCountAsync(2))[1].Data);
        await _writer.PublishAsync("kept", "last");
        Hint(_hints.Count);
        Assert.Equal(
            isSomethingLeft ? ["\"k\"", "\"last\""] : ["\"last\""],
            (await kept.WhenCountAsync(isSomethingLeft ? 2 : 1)).Select(f => f.Data)
        );
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task G2_A_reset_on_a_node_that_is_behind_moves_no_reader_back(int resumeAfter)
    {
        _journal.LetGo();
        await PublishAsync(5);
        _writer.Retention.Prefixes["t"] = new RetentionRule { MaxAge = TimeSpan.FromMinutes(1) };
        _writer.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(5, await _writer.Journal.TrimAsync(TestContext.Current.CancellationToken));
        await _writer.PublishAsync("kept", "k");
        var sink = new TestSink();
        Assert.Equal(0, _node.Fanout.DeliveredHead.Offset);
        await _node.ConnectAsync(sink, "t", _writer.Journal.Head with { Offset = resumeAfter });
        await _writer.PublishAsync("t", "after");
        for (var i = 1; i <= 7; i++)
            Hint(i);
        var frames = await sink.WhenAsync(static frames => frames.Any(static frame => frame.Data == "\"after\""));
        Assert.Equal(["dunlin.reset", "e"], frames.Select(static frame => frame.Name));
        using var reset = JsonDocument.Parse(frames[0].Data);
        var position = Position.Parse(reset.RootElement.GetProperty("position").GetString()!, null);
        Assert.InRange(position.Offset, 5, 6);
    }

    [Fact]
    public async Task Notifications_of_another_epoch_are_ignored()
    {
        using var other = new TestNode();
        var foreign = new List<IReadOnlyList<DunlinEvent>>();
        using var subscription = other.Feed.Committed.Subscribe(foreign.Add);
        await other.PublishAsync("t", "foreign");
        await other.PublishAsync("t", "foreign");
        Assert.NotEqual(_writer.Journal.Head.Epoch, other.Journal.Head.Epoch);
        var sink = new TestSink();
        await _node.ConnectAsync(sink, "t");

        // One that follows the delivered head, one that leaves a gap, and a head without events.
        _node.Fanout.OnCommitNotification(foreign[0]);
        _node.Fanout.OnCommitNotification(foreign[1]);
        _node.Fanout.OnReached(foreign[1][0].Position);
        await PublishAsync(1);
        Hint(1);
        Assert.Equal(["0"], (await sink.WhenCountAsync(1)).Select(f => f.Data));
        Assert.Equal(0, _journal.Reads);
    }

    public void Dispose()
    {
        _node.Dispose();
        _writer.Dispose();
    }

    private async Task PublishAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await _writer.PublishAsync("t", i);
    }

    private void Reach(int offset) => _node.Fanout.OnReached(_hints[offset - 1][0].Position);

    private void Hint(int offset) => _node.Fanout.OnCommitNotification(_hints[offset - 1]);

    /// <summary>Blocks the answer to the first read until it is released.</summary>
    private sealed class HeldJournal(IJournal inner) : JournalDecorator(inner)
    {
        private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;
        private long _head;

        public Task Reading => _reading.Task;

        public int Reads => Volatile.Read(ref _reads);

        // The head follows reads of it only.
        public override Position Head => base.Head with { Offset = Volatile.Read(ref _head) };

        public void LetGo() => _go.SetResult();

        public override ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken)
        {
            Volatile.Write(ref _head, base.Head.Offset);
            return new(Head);
        }

        public override async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _reads);
            var page = await base.ReadAsync(query, cancellationToken);
            _reading.TrySetResult();
            await _go.Task;
            return page;
        }
    }
}
