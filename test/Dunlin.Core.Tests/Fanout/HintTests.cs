using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Hints of another node that come while the journal is read for what one of them skipped.</summary>
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
    public async Task The_reading_ends_where_the_hints_that_came_meanwhile_begin()
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
    public async Task A_hint_that_closes_the_gap_is_not_kept_waiting_by_the_reading_and_nothing_comes_twice()
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
    public async Task More_hints_than_are_kept_are_read()
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
    public async Task G2_What_was_trimmed_before_the_node_could_read_it_is_told_as_a_reset_to_those_who_would_have_had_it(
        bool isSomethingLeft
    )
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

    private void Hint(int offset) => _node.Fanout.OnCommitNotification(_hints[offset - 1]);

    /// <summary>Keeps the answer to the first reading until it is let go.</summary>
    private sealed class HeldJournal(IJournal inner) : IJournal
    {
        private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;

        public Task Reading => _reading.Task;

        public int Reads => Volatile.Read(ref _reads);

        // It knows what hints have told, not what it has not been told.
        public Position Head => inner.Head with { Offset = 0 };

        public void LetGo() => _go.SetResult();

        public async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _reads);
            var page = await inner.ReadAsync(query, cancellationToken);
            _reading.TrySetResult();
            await _go.Task;
            return page;
        }

        public ValueTask<IReadOnlyList<Position>> AppendAsync(
            IReadOnlyList<EventDraft> drafts,
            IdempotencyKey? idempotency,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();

        public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
