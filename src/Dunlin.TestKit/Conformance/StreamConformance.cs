using System.Text;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Tests the durable streams of a store: states, offsets, pieces, producers, retention and forks.</summary>
public abstract partial class StreamConformance : ConformanceSuite
{
    private static readonly TopicName Notes = TopicName.Parse("streams/notes");
    private static readonly TopicName Branch = TopicName.Parse("streams/branch");
    private static readonly TopicName Twig = TopicName.Parse("streams/twig");

    private DurableStreamReader Reader => new(Store, Journal);

    /// <summary>Checks that units of one batch see the stream as it is after those that succeeded, and not after those that
    /// failed.</summary>
    [Fact]
    public async Task Units_of_one_batch_see_the_stream_without_failed_changes()
    {
        await CreateAsync(Notes);
        var held = new TaskCompletionSource();
        var gate = Store
            .WriteAsync(
                async (_, _) =>
                {
                    await held.Task;
                    return 0;
                },
                Cancellation
            )
            .AsTask();
        // They wait for the unit above, and then share a transaction.
        var first = WriteAsync(Notes, Text("a"));
        var failed = Store
            .WriteAsync<StreamResult>(
                async (unit, ct) =>
                {
                    await unit.Streams.TryAppendAsync(Notes, new StreamAppend { Closes = true }, ct);
                    Assert.True((await unit.Streams.FindAsync(Notes, ct))!.IsClosed);
                    throw new InvalidOperationException("fails after the change");
                },
                Cancellation
            )
            .AsTask();
        var second = WriteAsync(Notes, Text("b"));
        var closed = WriteAsync(Notes, new StreamAppend { Closes = true });
        var late = WriteAsync(Notes, Text("c"));
        held.SetResult();
        await gate;
        await Assert.ThrowsAsync<InvalidOperationException>(() => failed);
        Assert.Equal(StreamOutcome.Appended, (await first).Outcome);
        Assert.Equal(StreamOutcome.Appended, (await second).Outcome);
        Assert.Equal(StreamOutcome.Appended, (await closed).Outcome);
        Assert.Equal(StreamOutcome.Closed, (await late).Outcome);
        Assert.Equal("ab", await TextAsync(Notes, -1));
    }

    /// <summary>Checks that data is read in the order of the appends, from each offset.</summary>
    [Fact]
    public async Task Appends_are_read_in_order_from_every_offset()
    {
        await CreateAsync(Notes);
        var first = await AppendTextAsync(Notes, "a");
        await AppendAsync("elsewhere");
        var second = await AppendTextAsync(Notes, "b");
        Assert.True(first < second);
        Assert.Equal("ab", await TextAsync(Notes, -1));
        Assert.Equal("b", await TextAsync(Notes, first));
        Assert.Equal("", await TextAsync(Notes, second));
        Assert.Equal(second, (await Reader.FindAsync(Notes, Cancellation))!.Tail);
    }

    /// <summary>Checks that an append beyond the size of an event is stored in pieces and read as one.</summary>
    [Theory]
    [InlineData("application/octet-stream", 64 * 1024)]
    [InlineData("application/octet-stream", (64 * 1024) + 1)]
    [InlineData("application/json", 300_000)]
    public async Task A_large_append_is_split_and_joined(string type, int size)
    {
        await CreateAsync(Notes, new StreamSettings { ContentType = type });
        var data = Encoding.UTF8.GetBytes($"\"{new string('x', size - 2)}\"");
        var result = await WriteAsync(Notes, new StreamAppend { Messages = [data, "1"u8.ToArray()] });
        var page = (await Reader.ReadAsync(Notes, -1, maxBytes: 1, Cancellation))!;
        Assert.True(Assert.Single(page.Items).Data.Span.SequenceEqual(data));
        Assert.True(page.HasMore);
        var rest = (await Reader.ReadAsync(Notes, page.Next, cancellationToken: Cancellation))!;
        Assert.Equal("1"u8.ToArray(), Assert.Single(rest.Items).Data.ToArray());
        Assert.Equal(result.Stream!.Tail, rest.Next);
        Assert.All(await ReadAllAsync(0, Notes.Value), entry => Assert.True(entry.Data.Length <= 64 * 1024));
    }

    /// <summary>Checks the pages of a stream whose messages are larger than a page.</summary>
    [Fact]
    public async Task Pages_hold_every_message_once()
    {
        await CreateAsync(Notes);
        for (var i = 0; i < 40; i++)
            await WriteAsync(Notes, new StreamAppend { Messages = [new byte[1 + (i * 7_000)]] });
        var (sizes, after) = (new List<int>(), -1L);
        for (var more = true; more; )
        {
            var page = (await Reader.ReadAsync(Notes, after, 100_000, Cancellation))!;
            sizes.AddRange(page.Items.Select(item => item.Data.Length));
            (after, more) = (page.Next, page.HasMore);
        }
        Assert.Equal(Enumerable.Range(0, 40).Select(i => 1 + (i * 7_000)), sizes);
    }

    /// <summary>Checks that a unit of work that fails appends nothing and creates nothing.</summary>
    [Fact]
    public async Task A_rolled_back_unit_leaves_no_stream_and_no_data()
    {
        await Assert.ThrowsAsync<FormatException>(async () =>
            await Store.WriteAsync<int>(
                async (unit, ct) =>
                {
                    await unit.Streams.CreateAsync(Notes, new StreamSettings(), ct);
                    await unit.Streams.AppendAsync(Notes, Text("lost"), ct);
                    throw new FormatException();
                },
                Cancellation
            )
        );
        Assert.Null(await Reader.FindAsync(Notes, Cancellation));
        Assert.Empty(await ReadAllAsync(0, Notes.Value));
    }

    /// <summary>Checks that a unit of work sees its own appends.</summary>
    [Fact]
    public async Task A_unit_sees_the_tail_that_it_appended()
    {
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Streams.CreateAsync(Notes, new StreamSettings(), ct);
                var position = (await unit.Streams.AppendAsync(Notes, Text("a"), ct)).Stream!.Tail;
                await unit.AppendAsync(Draft("elsewhere"), ct);
                Assert.Equal(position, (await unit.Streams.FindAsync(Notes, ct))!.Tail);
            },
            Cancellation
        );
        Assert.Equal("a", await TextAsync(Notes, -1));
    }

    /// <summary>Checks that retention keeps the events of streams and removes those of other topics.</summary>
    [Fact]
    public async Task Retention_keeps_the_events_of_streams()
    {
        Retention.Default.MaxCount = 0;
        await CreateAsync(Notes);
        await AppendTextAsync(Notes, "a");
        await AppendAsync("elsewhere");
        await Journal.TrimAsync(Cancellation);
        Assert.Empty(await ReadAllAsync(0, "elsewhere"));
        Assert.Equal("a", await TextAsync(Notes, -1));
    }

    /// <summary>Checks that trimmed data is gone, and that a page before the cut reports it.</summary>
    [Fact]
    public async Task A_trimmed_stream_refuses_offsets_before_the_cut()
    {
        await CreateAsync(Notes);
        var first = await AppendTextAsync(Notes, "a");
        var second = await AppendTextAsync(Notes, "b");
        await AppendTextAsync(Notes, "c");
        Assert.True(await Store.WriteAsync((unit, ct) => unit.Streams.TrimAsync(Notes, second, ct), Cancellation));
        Assert.True((await Reader.ReadAsync(Notes, first, cancellationToken: Cancellation))!.IsTrimmed);
        Assert.Equal("c", await TextAsync(Notes, second));
        Assert.Equal("c", await TextAsync(Notes, -1));
        Assert.Equal(2, await Journal.TrimAsync(Cancellation));
        Assert.Equal("c", await TextAsync(Notes, -1));
        Assert.True((await Journal.ReadAsync(new JournalQuery(0, [Notes]), Cancellation)).Trimmed);
    }

    /// <summary>Checks that trimming everything leaves the tail where it is.</summary>
    [Fact]
    public async Task Trimming_everything_keeps_the_tail()
    {
        await CreateAsync(Notes);
        var last = await AppendTextAsync(Notes, "a");
        await Store.WriteAsync((unit, ct) => unit.Streams.TrimAsync(Notes, long.MaxValue, ct), Cancellation);
        await Journal.TrimAsync(Cancellation);
        Assert.Equal(last, (await Reader.FindAsync(Notes, Cancellation))!.Tail);
        Assert.Empty(await ReadAllAsync(0, Notes.Value));
        await AppendTextAsync(Notes, "b");
        Assert.Equal("b", await TextAsync(Notes, last));
    }

    /// <summary>Checks that a new stream of a deleted one's topic has neither its data nor its producers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_recreated_stream_has_nothing_of_the_deleted_one(bool trimsBetween)
    {
        await CreateAsync(Notes);
        await WriteAsync(Notes, Text("old") with { Producer = new StreamProducer("p", 0, 0), Sequence = "9" });
        var old = (await Store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(Notes, ct), Cancellation))!;
        Assert.Null(await Reader.FindAsync(Notes, Cancellation));
        Assert.Equal(StreamOutcome.NotFound, (await WriteAsync(Notes, Text("x"))).Outcome);
        if (trimsBetween)
            await Journal.TrimAsync(Cancellation);
        var created = await CreateAsync(Notes);
        Assert.NotEqual(old.Id, created.Stream!.Id);
        await WriteAsync(Notes, Text("new") with { Producer = new StreamProducer("p", 0, 0), Sequence = "1" });
        Assert.Equal("new", await TextAsync(Notes, -1));
        await Journal.TrimAsync(Cancellation);
        Assert.Equal("new", await TextAsync(Notes, -1));
        Assert.DoesNotContain(await ReadAllAsync(0, Notes.Value), entry => entry.Data.Span.SequenceEqual("old"u8));
    }

    /// <summary>Checks that the events of a deleted stream are removed.</summary>
    [Fact]
    public async Task A_deleted_stream_leaves_no_events()
    {
        await CreateAsync(Notes);
        for (var i = 0; i < 1_100; i++)
            await Journal.AppendAsync(EventDraft.OfEngine(Notes, StreamEvents.EventType, "1"u8.ToArray()), Cancellation);
        await Store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(Notes, ct), Cancellation);
        await Journal.TrimAsync(Cancellation);
        Assert.Empty(await ReadAllAsync(0, Notes.Value));
    }

    /// <summary>Checks the states of a closed stream.</summary>
    [Fact]
    public async Task A_closed_stream_keeps_its_tail_and_refuses_appends()
    {
        await CreateAsync(Notes);
        var producer = new StreamProducer("p", 0, 0);
        var closing = Text("last") with { Closes = true, Producer = producer };
        var tail = (await WriteAsync(Notes, closing)).Stream!.Tail;
        var stream = (await Reader.FindAsync(Notes, Cancellation))!;
        Assert.True(stream.IsClosed);
        Assert.Equal(tail, stream.Tail);
        Assert.True((await Reader.ReadAsync(Notes, -1, cancellationToken: Cancellation))!.IsEnd);
        Assert.Equal("last", await TextAsync(Notes, -1));
        Assert.Equal(StreamOutcome.Closed, (await WriteAsync(Notes, Text("x"))).Outcome);
        Assert.Equal(StreamOutcome.Closed, (await WriteAsync(Notes, closing with { Producer = producer with { Sequence = 1 } })).Outcome);
        Assert.Equal(StreamOutcome.Duplicate, (await WriteAsync(Notes, closing)).Outcome);
        Assert.Equal(StreamOutcome.Duplicate, (await WriteAsync(Notes, new StreamAppend { Closes = true })).Outcome);
        var refused = await Assert.ThrowsAsync<DunlinException>(async () =>
            await Store.WriteAsync((unit, ct) => unit.Streams.AppendAsync(Notes, Text("x"), ct), Cancellation)
        );
        Assert.Equal(ErrorCode.Conflict, refused.Code);
    }

    /// <summary>Checks every answer to a producer.</summary>
    [Fact]
    public async Task A_producer_appends_once_in_order_and_fences_older_epochs()
    {
        await CreateAsync(Notes);
        Assert.Equal(StreamOutcome.SequenceGap, await ProduceAsync(0, 1));
        Assert.Equal(StreamOutcome.Appended, await ProduceAsync(0, 0));
        Assert.Equal(StreamOutcome.Duplicate, await ProduceAsync(0, 0));
        Assert.Equal(StreamOutcome.Appended, await ProduceAsync(0, 1));
        Assert.Equal(StreamOutcome.SequenceGap, await ProduceAsync(0, 3));
        Assert.Equal(StreamOutcome.EpochStart, await ProduceAsync(1, 1));
        Assert.Equal(StreamOutcome.Appended, await ProduceAsync(1, 0));
        Assert.Equal(StreamOutcome.StaleEpoch, await ProduceAsync(0, 2));
        Assert.Equal("0.0 0.1 1.0 ", await TextAsync(Notes, -1));

        async Task<StreamOutcome> ProduceAsync(long epoch, long sequence) =>
            (await WriteAsync(Notes, Text($"{epoch}.{sequence} ") with { Producer = new StreamProducer("p", epoch, sequence) })).Outcome;
    }

    /// <summary>Checks that a failed sequence check leaves the producer where it was.</summary>
    [Fact]
    public async Task A_sequence_text_must_grow_in_ordinal_order()
    {
        await CreateAsync(Notes);
        Assert.True((await WriteAsync(Notes, Text("a") with { Sequence = "2" })).IsSuccess);
        var outdated = Text("b") with { Sequence = "10", Producer = new StreamProducer("p", 0, 0) };
        Assert.Equal(StreamOutcome.SequenceRegression, (await WriteAsync(Notes, outdated)).Outcome);
        Assert.True((await WriteAsync(Notes, outdated with { Sequence = "3" })).IsSuccess);
        Assert.Equal("ab", await TextAsync(Notes, -1));
    }

    /// <summary>Checks that invalid input is refused with its field.</summary>
    [Fact]
    public async Task Invalid_input_is_refused_with_its_field()
    {
        await CreateAsync(Notes, new StreamSettings { ContentType = "application/json" });
        await RefusedAsync("messages", new StreamAppend());
        await RefusedAsync("messages", new StreamAppend { Messages = ["{"u8.ToArray()] }, ErrorCode.InvalidJson);
        await RefusedAsync("producerId", Text("1") with { Producer = new StreamProducer("", 0, 0) });
        await RefusedAsync("producerSeq", Text("1") with { Producer = new StreamProducer("p", -1, 0) });
        Assert.Equal(StreamOutcome.ContentTypeMismatch, (await WriteAsync(Notes, Text("1") with { ContentType = "text/plain" })).Outcome);
        var both = new StreamSettings { TimeToLive = TimeSpan.FromSeconds(1), ExpiresAt = Time.GetUtcNow() };
        await Assert.ThrowsAsync<DunlinException>(() => CreateAsync(Branch, both));
        Assert.Equal("", await TextAsync(Notes, -1));

        async Task RefusedAsync(string field, StreamAppend append, ErrorCode? code = null)
        {
            var refused = await Assert.ThrowsAsync<DunlinException>(() => WriteAsync(Notes, append));
            Assert.Equal(field, refused.Field);
            Assert.Equal(code ?? ErrorCode.InvalidField, refused.Code);
        }
    }

    private static StreamAppend Text(string text) => new() { Messages = [Encoding.UTF8.GetBytes(text)] };

    private async Task<StreamResult> CreateAsync(TopicName topic, StreamSettings? settings = null) =>
        await Store.WriteAsync((unit, ct) => unit.Streams.CreateAsync(topic, settings ?? new StreamSettings(), ct), Cancellation);

    private async Task<StreamResult> WriteAsync(TopicName topic, StreamAppend append) =>
        await Store.WriteAsync((unit, ct) => unit.Streams.TryAppendAsync(topic, append, ct), Cancellation);

    private async Task<long> AppendTextAsync(TopicName topic, string text) => (await WriteAsync(topic, Text(text))).Stream!.Tail;

    private async Task<string> TextAsync(TopicName topic, long after)
    {
        var text = new StringBuilder();
        while (true)
        {
            var page = (await Reader.ReadAsync(topic, after, maxBytes: 2, Cancellation))!;
            Assert.False(page.IsTrimmed);
            foreach (var item in page.Items)
                text.Append(Encoding.UTF8.GetString(item.Data.Span));
            after = page.Next;
            if (!page.HasMore)
                return text.ToString();
        }
    }
}
