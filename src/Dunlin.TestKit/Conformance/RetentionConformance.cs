using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required retention behaviour of each <see cref="IJournal"/>.</summary>
public abstract class RetentionConformance : ConformanceSuite
{
    /// <summary>Checks that only events older than the maximum age are deleted.</summary>
    [Fact]
    public async Task Events_older_than_the_age_are_removed_and_the_others_stay()
    {
        Retention.Default.MaxAge = TimeSpan.FromMinutes(10);
        await AppendAsync("a", 1);
        await AppendAsync("b", 2);
        Time.Advance(TimeSpan.FromMinutes(6));
        await AppendAsync("a", 3);
        Assert.Equal(0, await Journal.TrimAsync(Cancellation));
        Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(2, await Journal.TrimAsync(Cancellation));
        Assert.Equal([3], (await ReadAllAsync()).Select(e => e.Position.Offset));
    }

    /// <summary>Checks that the limits of count and bytes apply to each topic separately.</summary>
    [Fact]
    public async Task Count_and_bytes_bound_each_topic_alone()
    {
        Retention.Prefixes["few"] = new RetentionRule { MaxCount = 3 };
        Retention.Prefixes["small"] = new RetentionRule { MaxBytes = 25 };
        Retention.Prefixes["none"] = new RetentionRule { MaxCount = 0 };
        foreach (var topic in new[] { "few/1", "few/2", "small", "free", "none" })
        {
            for (var i = 0; i < 5; i++)
                await Journal.AppendAsync([new EventDraft(TopicName.Parse(topic), "t", new byte[10])], null, Cancellation);
        }
        Assert.Equal(2 + 2 + 3 + 5, await Journal.TrimAsync(Cancellation));
        Assert.Equal([3, 4, 5], (await ReadAllAsync(0, "few/1")).Select(e => e.Position.Offset));
        Assert.Equal([8, 9, 10], (await ReadAllAsync(0, "few/2")).Select(e => e.Position.Offset));
        Assert.Equal([14, 15], (await ReadAllAsync(0, "small")).Select(e => e.Position.Offset));
        Assert.Equal(5, (await ReadAllAsync(0, "free")).Count);
        Assert.Empty(await ReadAllAsync(0, "none"));
        Assert.Equal(0, await Journal.TrimAsync(Cancellation));
    }

    /// <summary>Checks that the limits apply again after further appends.</summary>
    [Fact]
    public async Task Bounds_hold_again_after_more_was_appended()
    {
        Retention.Default.MaxCount = 2;
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 4; i++)
                await AppendAsync("a", i);
            await Journal.TrimAsync(Cancellation);
            Assert.Equal(2, (await ReadAllAsync(0, "a")).Count);
        }
    }

    /// <summary>Checks that the rule with the longest matching prefix applies, and that prefixes match whole segments.</summary>
    [Fact]
    public async Task The_longest_prefix_decides_and_ends_at_a_segment()
    {
        Retention.Default.MaxCount = 0;
        Retention.Prefixes["users/1"] = new RetentionRule { MaxCount = 1 };
        Retention.Prefixes["users"] = new RetentionRule { MaxCount = 2 };
        foreach (var topic in new[] { "users/1/x", "users/1/x", "users/1/x", "users/10", "users/10", "users/10", "other" })
            await AppendAsync(topic);
        await Journal.TrimAsync(Cancellation);
        Assert.Single(await ReadAllAsync(0, "users/1/x"));
        Assert.Equal(2, (await ReadAllAsync(0, "users/10")).Count);
        Assert.Empty(await ReadAllAsync(0, "other"));
    }

    /// <summary>Checks that one trim deletes more than one slice.</summary>
    [Fact]
    public async Task More_than_one_slice_is_removed_in_one_go()
    {
        Retention.Default.MaxCount = 1;
        for (var i = 0; i < 3; i++)
            await Journal.AppendAsync(
                [.. Enumerable.Range(0, JournalLimits.MaxEventsPerAppend).Select(n => Draft("a", n))],
                null,
                Cancellation
            );
        Assert.Equal((3 * JournalLimits.MaxEventsPerAppend) - 1, await Journal.TrimAsync(Cancellation));
        Assert.Equal(Journal.Head, Assert.Single(await ReadAllAsync()).Position);
    }

    /// <summary>Checks that offsets continue after all events were deleted.</summary>
    [Fact]
    public async Task Offsets_go_on_after_everything_was_removed()
    {
        Retention.Default.MaxCount = 0;
        await AppendAsync("a");
        await AppendAsync("b");
        await Journal.TrimAsync(Cancellation);
        Assert.Equal(2, Journal.Head.Offset);
        Assert.Equal(3, (await AppendAsync("a")).Offset);
    }

    /// <summary>Checks that a page reports trimming exactly if a requested event was deleted.</summary>
    [Fact]
    public async Task A_page_says_trimmed_exactly_when_something_wanted_is_gone()
    {
        var random = TestSeed.NewRandom(out _);
        string[] topics = ["users/1", "users/10", "users/1/x", "b", "c"];
        Retention.Prefixes["users/1"] = new RetentionRule { MaxCount = 4 };
        Retention.Prefixes["b"] = new RetentionRule { MaxCount = 0 };
        Retention.Prefixes["c"] = new RetentionRule { MaxAge = TimeSpan.FromSeconds(30) };
        var appended = new List<(long Offset, string Topic)>();
        for (var round = 0; round < 8; round++)
        {
            for (var i = 0; i < 12; i++)
            {
                var topic = topics[random.Next(topics.Length)];
                appended.Add(((await AppendAsync(topic, i)).Offset, topic));
                Time.Advance(TimeSpan.FromSeconds(1));
            }
            await Journal.TrimAsync(Cancellation);
            var left = (await ReadAllAsync()).Select(e => e.Position.Offset).ToHashSet();
            for (var check = 0; check < 30; check++)
            {
                var wanted = check % 6 == 0 ? null : topics.Where(_ => random.Next(2) == 0).ToArray();
                var after = random.Next(0, appended.Count + 1);
                var gone = appended
                    .Where(e => !left.Contains(e.Offset) && e.Offset > after && wanted?.Contains(e.Topic) is not false)
                    .ToList();
                var page = await Journal.ReadAsync(new JournalQuery(after, wanted?.Select(t => TopicName.Parse(t)).ToList()), Cancellation);
                Assert.True(
                    page.Trimmed == (gone.Count > 0),
                    $"after {after}, wanted {string.Join(' ', wanted ?? ["all"])}, gone {string.Join(' ', gone)}, said {page.Trimmed}"
                );
            }
        }
    }

    /// <summary>Checks that a page of a pattern reports trimming exactly if a matching event was deleted.</summary>
    [Fact]
    public async Task A_page_of_a_pattern_says_trimmed_exactly_when_something_wanted_is_gone()
    {
        Retention.Prefixes["rooms/1"] = new RetentionRule { MaxCount = 1 };
        Retention.Prefixes["halls"] = new RetentionRule { MaxCount = 0 };
        await Journal.AppendAsync(
            [Draft("rooms/1/log"), Draft("rooms/1/log"), Draft("rooms/10/log"), Draft("rooms/2/chat")],
            null,
            Cancellation
        );
        // More topics than are read one by one; only one of their events is deleted.
        await Journal.AppendAsync(
            [.. Enumerable.Range(0, 1_000).Select(i => Draft(i == 500 ? "halls/1" : $"halls2/{i}"))],
            null,
            Cancellation
        );
        Assert.Equal(2, await Journal.TrimAsync(Cancellation));
        (string Pattern, long After, bool IsTrimmed)[] expected =
        [
            ("rooms/*/log", 0, true),
            ("rooms/*/log", 1, false),
            ("rooms/**", 0, true),
            ("rooms/1/**", 0, true),
            ("rooms/10/**", 0, false),
            ("rooms/*/chat", 0, false),
            ("rooms/*", 0, false),
            ("halls/*", 4, true),
            ("halls/*", 504, true),
            ("halls/*", 505, false),
            ("halls2/*", 0, false),
            ("*/1", 4, true),
            ("*/1", 505, false),
            ("**", 504, true),
            ("**", 505, false),
        ];
        foreach (var (pattern, after, isTrimmed) in expected)
        {
            var page = await Journal.ReadAsync(new JournalQuery(after, []) { Patterns = [TopicPattern.Parse(pattern)] }, Cancellation);
            Assert.True(page.Trimmed == isTrimmed, $"{pattern} after {after} said {page.Trimmed}.");
            page = await Journal.ReadAsync(
                new JournalQuery(after, [TopicName.Parse("halls/1")]) { Patterns = [TopicPattern.Parse(pattern)] },
                Cancellation
            );
            Assert.True(page.Trimmed == (isTrimmed || after < 505), $"{pattern} and a name after {after} said {page.Trimmed}.");
        }
    }

    /// <summary>Checks that an idempotency key is deleted after its age and not earlier.</summary>
    [Fact]
    public async Task A_key_is_forgotten_after_its_age_and_not_before()
    {
        Retention.IdempotencyAge = TimeSpan.FromHours(1);
        var key = new IdempotencyKey("alice", "k1");
        await Journal.AppendAsync([Draft("a")], key, Cancellation);
        Time.Advance(TimeSpan.FromMinutes(59));
        await Journal.TrimAsync(Cancellation);
        Assert.Equal(1, Assert.Single(await Journal.AppendAsync([Draft("a")], key, Cancellation)).Offset);
        Time.Advance(TimeSpan.FromMinutes(2));
        await Journal.TrimAsync(Cancellation);
        Assert.Equal(2, Assert.Single(await Journal.AppendAsync([Draft("a")], key, Cancellation)).Offset);
    }

    /// <summary>Checks that one call deletes more old keys than one statement.</summary>
    [Fact]
    public async Task More_keys_than_one_slice_are_forgotten_in_one_go()
    {
        const int keys = 600;
        Retention.IdempotencyAge = TimeSpan.FromHours(1);
        Task<IReadOnlyList<Position>[]> AppendAllAsync() =>
            Task.WhenAll(
                Enumerable
                    .Range(0, keys)
                    .Select(i => Journal.AppendAsync([Draft("a")], new IdempotencyKey("alice", $"k{i}"), Cancellation).AsTask())
            );

        await AppendAllAsync();
        Time.Advance(TimeSpan.FromHours(2));
        await Journal.TrimAsync(Cancellation);
        Assert.All(await AppendAllAsync(), positions => Assert.InRange(Assert.Single(positions).Offset, keys + 1, 2 * keys));
    }

    /// <summary>Checks that a step of the wall clock deletes nothing.</summary>
    [Fact]
    public async Task A_step_of_the_wall_clock_removes_nothing()
    {
        Retention.Default.MaxAge = TimeSpan.FromDays(1);
        await AppendAsync("a");
        Time.StepWallClock(TimeSpan.FromDays(400));
        Assert.Equal(0, await Journal.TrimAsync(Cancellation));
        Assert.Single(await ReadAllAsync());
    }
}
