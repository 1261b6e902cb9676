using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="IJournal"/>, together with <see cref="RetentionConformance"/>.</summary>
public abstract partial class JournalConformance : ConformanceSuite
{
    /// <summary>Checks that offsets start at 1 and grow by 1 per event.</summary>
    [Fact]
    public async Task Offsets_start_at_one_and_grow_by_one_per_event()
    {
        Assert.Equal(0, Journal.Head.Offset);
        var first = await Journal.AppendAsync([Draft("a"), Draft("b")], null, Cancellation);
        var second = await Journal.AppendAsync([Draft("a")], null, Cancellation);
        Assert.Equal([1, 2, 3], first.Concat(second).Select(p => p.Offset));
        Assert.Equal(second[0], Journal.Head);
        Assert.All(first, p => Assert.Equal(Journal.Head.Epoch, p.Epoch));
    }

    /// <summary>Checks that the size of the journal grows with its events. A journal that cannot measure itself passes.</summary>
    [Fact]
    public async Task Size_in_bytes_grows_with_the_events_or_is_unknown()
    {
        await AppendAsync("a", 0);
        var before = await Journal.ReadSizeAsync(Cancellation);
        var random = new byte[60_000];
        Random.Shared.NextBytes(random); // no store can compress it
        for (var i = 0; i < 5; i++)
            await Journal.AppendAsync([new EventDraft(TopicName.Parse("a"), "big", random)], null, Cancellation);
        var after = await Journal.ReadSizeAsync(Cancellation);
        Assert.True(before is null ? after is null : after > before + 200_000, $"{before} bytes became {after}.");
    }

    /// <summary>Checks that an event is read with the values that were announced.</summary>
    [Fact]
    public async Task An_event_is_read_as_it_was_announced()
    {
        var announced = new List<DunlinEvent>();
        Subject.Feed.Committed.Subscribe(announced.AddRange);
        Time.Advance(TimeSpan.FromTicks(12_345_678));
        await Journal.AppendAsync(
            [
                new EventDraft(
                    TopicName.Parse("cases/1"),
                    "case.updated",
                    Encoding.UTF8.GetBytes("{\n \"name\": \"Ünal 🐦\"}"),
                    new EventOrigin("u1", "s1", "c1", "d1")
                ),
                new EventDraft(
                    TopicName.Parse("cases/1"),
                    "case.updated",
                    Encoding.UTF8.GetBytes("null"),
                    new EventOrigin(UserId: "", DeviceId: "d2")
                ),
                new EventDraft(TopicName.Parse("cases/2"), "!", ReadOnlyMemory<byte>.Empty),
            ],
            null,
            Cancellation
        );
        var read = await ReadAllAsync();
        Assert.Equal(3, read.Count);
        foreach (var (expected, actual) in announced.Zip(read))
        {
            Assert.Equal(expected.Position, actual.Position);
            Assert.Equal(expected.Topic, actual.Topic);
            Assert.Equal(expected.Type, actual.Type);
            Assert.Equal(expected.Data.ToArray(), actual.Data.ToArray());
            Assert.Equal(expected.Origin, actual.Origin);
            Assert.Equal(expected.Time, actual.Time);
        }
    }

    /// <summary>Checks that an append completes only after its events were announced and can be read.</summary>
    [Fact]
    public async Task A_writer_is_answered_after_its_events_were_announced_and_can_be_read()
    {
        var announced = 0L;
        Subject.Feed.Committed.Subscribe(events => Volatile.Write(ref announced, events[^1].Position.Offset));
        for (var i = 0; i < 50; i++)
        {
            var position = await AppendAsync("a", i);
            Assert.Equal(position.Offset, Volatile.Read(ref announced));
            Assert.Equal(position, Journal.Head);
            Assert.Equal(position, Assert.Single(await ReadAllAsync(position.Offset - 1)).Position);
        }
    }

    /// <summary>Checks that the head includes events when they are announced.</summary>
    [Fact]
    public async Task What_is_announced_can_be_read_already()
    {
        var journal = Journal;
        var ahead = 0;
        Subject.Feed.Committed.Subscribe(events =>
        {
            if (journal.Head.Offset < events[^1].Position.Offset)
                Interlocked.Increment(ref ahead);
        });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => AppendAsync("a", i).AsTask()));
        Assert.Equal(0, ahead);
    }

    /// <summary>Checks that concurrent appends are announced in offset order, each event once.</summary>
    [Fact]
    public async Task Events_are_announced_in_order_each_once_whatever_the_concurrency()
    {
        var announced = new List<long>();
        Subject.Feed.Committed.Subscribe(events => announced.AddRange(events.Select(e => e.Position.Offset)));
        await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(async writer =>
                {
                    for (var i = 0; i < 25; i++)
                        await Journal.AppendAsync([Draft($"w/{writer}", i), Draft($"w/{writer}", i)], null, Cancellation);
                })
        );
        Assert.Equal(Enumerable.Range(1, 800).Select(i => (long)i), announced);
    }

    /// <summary>Checks that events of one append have consecutive offsets.</summary>
    [Fact]
    public async Task Events_of_one_append_stand_together()
    {
        var positions = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(w =>
                    Task.Run(async () =>
                        await Journal.AppendAsync([.. Enumerable.Range(0, 10).Select(i => Draft($"w/{w}", i))], null, Cancellation)
                    )
                )
        );
        foreach (var append in positions)
            Assert.Equal(Enumerable.Range(0, 10).Select(i => append[0].Offset + i), append.Select(p => p.Offset));
        Assert.Equal(160, (await ReadAllAsync()).Count);
    }

    /// <summary>Checks that a repeated idempotency key returns the first positions and appends nothing.</summary>
    [Fact]
    public async Task A_repeated_key_answers_with_the_first_positions_and_appends_nothing()
    {
        var key = new IdempotencyKey("alice", "k1");
        var first = await Journal.AppendAsync([Draft("a", 1), Draft("b", 2)], key, Cancellation);
        await AppendAsync("a");
        var again = await Journal.AppendAsync([Draft("a", 1), Draft("b", 2)], key, Cancellation);
        Assert.Equal(first, again);
        Assert.Equal(3, Journal.Head.Offset);
    }

    /// <summary>Checks that an idempotency key is recognised although the repeated request comes from another connection.</summary>
    [Fact]
    public async Task A_key_is_recognised_although_the_connection_is_another()
    {
        var key = new IdempotencyKey("alice", "k1");
        var topic = TopicName.Parse("a");
        var first = await Journal.AppendAsync(
            [EventDraft.Of(topic, "t", 1, new EventOrigin("alice", ConnectionId: "c1"))],
            key,
            Cancellation
        );
        var again = await Journal.AppendAsync(
            [EventDraft.Of(topic, "t", 1, new EventOrigin("alice", ConnectionId: "c2"))],
            key,
            Cancellation
        );
        Assert.Equal(first, again);
    }

    /// <summary>Checks that an idempotency key with different content is refused, and that nothing is appended.</summary>
    [Fact]
    public async Task A_key_with_other_content_is_refused_and_nothing_is_appended()
    {
        var key = new IdempotencyKey("alice", "k1");
        await Journal.AppendAsync([Draft("a", 1)], key, Cancellation);
        EventDraft[][] others =
        [
            [Draft("a", 2)],
            [Draft("b", 1)],
            [Draft("a", 1), Draft("a", 1)],
            [EventDraft.Of(TopicName.Parse("a"), "other", 1)],
        ];
        foreach (var other in others)
        {
            var error = await Assert.ThrowsAsync<DunlinException>(async () => await Journal.AppendAsync(other, key, Cancellation));
            Assert.Equal(ErrorCode.IdempotencyKeyReused, error.Code);
        }
        Assert.Equal(1, Journal.Head.Offset);
    }

    /// <summary>Checks that a key covers where topic, type and data end, and not only their bytes in a row.</summary>
    [Fact]
    public async Task A_key_covers_the_boundaries_between_topic_type_and_data()
    {
        var key = new IdempotencyKey("alice", "k1");
        await Journal.AppendAsync([EventDraft.Of(TopicName.Parse("a"), "bc", 1)], key, Cancellation);
        EventDraft[] moved = [EventDraft.Of(TopicName.Parse("ab"), "c", 1)];
        var error = await Assert.ThrowsAsync<DunlinException>(async () => await Journal.AppendAsync(moved, key, Cancellation));
        Assert.Equal(ErrorCode.IdempotencyKeyReused, error.Code);
    }

    /// <summary>Checks that equal idempotency keys of different scopes are independent.</summary>
    [Fact]
    public async Task Keys_of_different_scopes_never_meet()
    {
        await Journal.AppendAsync([Draft("a", 1)], new IdempotencyKey("alice", "k1"), Cancellation);
        await Journal.AppendAsync([Draft("a", 2)], new IdempotencyKey("bob", "k1"), Cancellation);
        await Journal.AppendAsync([Draft("a", 3)], new IdempotencyKey("alic", "ek1"), Cancellation);
        Assert.Equal(3, Journal.Head.Offset);
    }

    /// <summary>Checks that an idempotency key that cannot be stored, or its scope, is refused and appends nothing.</summary>
    [Fact]
    public async Task A_key_or_scope_that_cannot_be_stored_is_refused()
    {
        var longest = new IdempotencyKey(new string('s', 200), new string('k', 100));
        await Journal.AppendAsync([Draft("a", 1)], longest, Cancellation);
        foreach (
            var key in new[]
            {
                longest with
                {
                    Scope = longest.Scope + "s",
                },
                longest with
                {
                    Scope = "a\0b",
                },
                longest with
                {
                    Scope = "\ud800",
                },
                longest with
                {
                    Key = longest.Key + "k",
                },
                longest with
                {
                    Key = "",
                },
                longest with
                {
                    Key = "\n",
                },
            }
        )
        {
            var refused = await Assert.ThrowsAsync<DunlinException>(() => Journal.AppendAsync([Draft("a", 2)], key, Cancellation).AsTask());
            Assert.Equal(ErrorCode.InvalidField, refused.Code);
        }
        Assert.Equal(1, Journal.Head.Offset);
    }

    /// <summary>Checks that concurrent requests with the same idempotency key append once.</summary>
    [Fact]
    public async Task One_key_sent_many_times_at_once_appends_once()
    {
        var key = new IdempotencyKey("alice", "k1");
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 32).Select(_ => Task.Run(async () => await Journal.AppendAsync([Draft("a", 1)], key, Cancellation)))
        );
        Assert.All(answers, a => Assert.Equal(1, Assert.Single(a).Offset));
        Assert.Equal(1, Journal.Head.Offset);
    }

    /// <summary>Checks that a refused append does not use its idempotency key.</summary>
    [Fact]
    public async Task A_refused_append_leaves_its_key_free()
    {
        var key = new IdempotencyKey("alice", "k1");
        var large = new EventDraft(TopicName.Parse("a"), "t", new byte[JournalLimits.MaxDataBytes + 1]);
        await Assert.ThrowsAsync<DunlinException>(async () => await Journal.AppendAsync([large], key, Cancellation));
        Assert.Equal(1, Assert.Single(await Journal.AppendAsync([Draft("a")], key, Cancellation)).Offset);
    }

    /// <summary>Checks that an append beyond the limits is refused as a whole.</summary>
    [Fact]
    public async Task Appends_beyond_the_limits_are_refused_whole()
    {
        var tooMany = Enumerable.Range(0, JournalLimits.MaxEventsPerAppend + 1).Select(i => Draft("a", i)).ToList();
        var tooLarge = new EventDraft(TopicName.Parse("a"), "t", new byte[JournalLimits.MaxDataBytes + 1]);
        foreach (var drafts in new IReadOnlyList<EventDraft>[] { tooMany, [Draft("a"), tooLarge] })
        {
            var error = await Assert.ThrowsAsync<DunlinException>(async () => await Journal.AppendAsync(drafts, null, Cancellation));
            Assert.Equal(ErrorCode.TooLarge, error.Code);
        }
        Assert.Equal(0, Journal.Head.Offset);
        await Journal.AppendAsync([.. tooMany.Skip(1)], null, Cancellation);
        await Journal.AppendAsync([new EventDraft(TopicName.Parse("a"), "t", new byte[JournalLimits.MaxDataBytes])], null, Cancellation);
        Assert.Equal(JournalLimits.MaxEventsPerAppend + 1, Journal.Head.Offset);
    }

    /// <summary>Checks that an append that is cancelled before its commit leaves no event.</summary>
    [Fact]
    public async Task An_append_cancelled_before_its_commit_leaves_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Journal.AppendAsync([Draft("a")], null, cancelled.Token));
        Assert.Equal(0, Journal.Head.Offset);
        Assert.Equal(1, (await AppendAsync("a")).Offset);
    }

    /// <summary>Checks that a topic does not include topics whose names start with its name.</summary>
    [Fact]
    public async Task A_topic_is_not_another_that_begins_alike()
    {
        string[] names = ["users/1", "users/10", "users/1/x", "users", "Users/1", "users/1-", "users/1."];
        foreach (var name in names)
            await AppendAsync(name);
        foreach (var name in names)
            Assert.Equal(name, Assert.Single(await ReadAllAsync(0, name)).Topic.Value);
    }

    /// <summary>Checks that the page of a topic without events is empty and reaches the head.</summary>
    [Fact]
    public async Task A_topic_without_events_has_an_empty_page_through_the_head()
    {
        await AppendAsync("a");
        var page = await Journal.ReadAsync(new JournalQuery(0, [TopicName.Parse("never")]), Cancellation);
        Assert.Empty(page.Events);
        Assert.Equal((1L, false, false), (page.Through, page.HasMore, page.Trimmed));
        page = await Journal.ReadAsync(new JournalQuery(0, []), Cancellation);
        Assert.Equal((0, 1L, false), (page.Events.Count, page.Through, page.HasMore));
    }

    /// <summary>Checks that a page after the head is empty and does not go back.</summary>
    [Fact]
    public async Task A_page_after_the_head_is_empty_and_does_not_go_back()
    {
        await AppendAsync("a");
        foreach (var after in new long[] { 1, 2, 1_000 })
        {
            var page = await Journal.ReadAsync(new JournalQuery(after, null), Cancellation);
            Assert.Equal((0, after, false, false), (page.Events.Count, page.Through, page.HasMore, page.Trimmed));
        }
    }

    /// <summary>Checks that a page ends with the event that reaches its byte limit, and has at least one event.</summary>
    [Fact]
    public async Task A_page_ends_with_the_event_that_reaches_its_bytes_and_always_has_one()
    {
        foreach (var _ in Enumerable.Range(0, 5))
            await Journal.AppendAsync([new EventDraft(TopicName.Parse("a"), "t", new byte[100])], null, Cancellation);
        foreach (var topics in new IReadOnlyList<TopicName>?[] { null, [TopicName.Parse("a")] })
        {
            foreach (var (bytes, count) in new[] { (1, 1), (100, 1), (101, 2), (200, 2), (401, 5), (10_000, 5) })
            {
                var page = await Journal.ReadAsync(new JournalQuery(0, topics, MaxBytes: bytes), Cancellation);
                Assert.Equal((count, count, count < 5), (page.Events.Count, (int)page.Through, page.HasMore));
            }
        }
    }

    /// <summary>Checks that successive pages have no gap and no duplicate.</summary>
    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition()
    {
        var random = TestSeed.NewRandom(out _);
        var all = new List<(long Offset, string Topic)>();
        for (var i = 0; i < 150; i++)
        {
            // Few topics with many events each, and many topics with few events, in runs, so that merging covers both.
            var topic = random.Next(3) == 0 ? $"rare/{random.Next(60)}" : $"busy/{random.Next(3)}";
            var drafts = Enumerable.Range(0, random.Next(1, 12)).Select(n => Draft(topic, n)).ToList();
            foreach (var position in await Journal.AppendAsync(drafts, null, Cancellation))
                all.Add((position.Offset, topic));
        }
        for (var round = 0; round < 40; round++)
        {
            var topics = all.Select(e => e.Topic).Distinct().OrderBy(_ => random.Next()).Take(random.Next(1, 12)).ToList();
            var names = round % 5 == 0 ? null : topics.Select(t => TopicName.Parse(t)).Append(TopicName.Parse(topics[0])).ToList();
            var start = random.Next(0, all.Count);
            var expected = all.Where(e => e.Offset > start && (names is null || topics.Contains(e.Topic))).ToList();
            var read = new List<(long, string)>();
            for (long after = start; ; )
            {
                var page = await Journal.ReadAsync(new JournalQuery(after, names, random.Next(1, 60)), Cancellation);
                read.AddRange(page.Events.Select(e => (e.Position.Offset, e.Topic.Value)));
                Assert.Equal(page.HasMore, read.Count < expected.Count);
                Assert.Equal(page.HasMore ? page.Events[^1].Position.Offset : all.Count, page.Through);
                if (!page.HasMore)
                    break;
                after = page.Through;
            }
            Assert.Equal(expected, read);
        }
    }
}
