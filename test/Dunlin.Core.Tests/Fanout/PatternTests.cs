using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>Streams that subscribe to patterns.</summary>
public sealed class PatternTests
{
    [Fact]
    public async Task A_pattern_stream_hears_what_its_pattern_covers_and_nothing_else()
    {
        using var node = new TestNode();
        TestSink team = new(),
            alerts = new(),
            exact = new();
        await node.ConnectAsync(team, "teams/7/**");
        await node.ConnectAsync(alerts, "teams/*/alerts other");
        await node.ConnectAsync(exact, "teams/7/alerts");
        foreach (
            var topic in new[]
            {
                "teams/7",
                "teams/70/x",
                "Teams/7/x",
                "teams/7/alerts",
                "teams/8/alerts",
                "other",
                "teams/7/a/b",
                "teams/7/%2F",
                "end",
            }
        )
            await node.PublishAsync(topic, topic);
        await node.Fanout.SettledAsync();
        Assert.Equal(["teams/7/alerts", "teams/7/a/b", "teams/7/%2F"], team.Frames.Select(f => f.Data.Trim('"')));
        Assert.Equal(["teams/7/alerts", "teams/8/alerts", "other"], alerts.Frames.Select(f => f.Data.Trim('"')));
        Assert.Equal(["teams/7/alerts"], exact.Frames.Select(f => f.Data.Trim('"')));
    }

    [Fact]
    public async Task G2_A_pattern_stream_misses_nothing_of_a_topic_created_while_it_is_open()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(sink, "teams/7/**");
        await node.PublishAsync("teams/7/new", 1);
        await node.PublishAsync("teams/7/new", 2);
        await node.PublishAsync("teams/7/newer/still", 3);
        Assert.Equal([1L, 2, 3], (await sink.WhenCountAsync(3)).Select(f => f.Offset));
    }

    [Fact]
    public async Task G2_An_event_that_a_name_and_two_patterns_mean_arrives_once()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.PublishAsync("a/1", 1);
        await node.ConnectAsync(sink, "a/1 a/* a/**", node.Journal.Head with { Offset = 0 });
        await node.PublishAsync("a/1", 2);
        node.Fanout.PublishTransient(TestNode.Draft("a/1", "typing"));
        await node.PublishAsync("a/2", 3);
        await node.Fanout.SettledAsync();
        Assert.Equal(["1", "2", "\"typing\"", "3"], sink.Frames.Select(f => f.Data));
    }

    [Fact]
    public async Task G2_A_slow_reader_of_overlapping_patterns_sees_every_event_once_in_order()
    {
        var random = TestSeed.NewRandom(out _);
        using var node = new TestNode(o => (o.MaxPendingBytes, o.TailEvents) = (1_024, 64));
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t/0 t/* t/** */1");
        const int total = 2_000;
        for (var i = 0; i < total; i++)
        {
            if (random.Next(20) == 0)
                _ = sink.Hold();
            if (random.Next(25) == 0)
                sink.LetGo();
            await node.PublishAsync($"t/{random.Next(3)}", i);
        }
        sink.LetGo();
        var frames = await sink.WhenCountAsync(total);
        Assert.Equal(Enumerable.Range(1, total).Select(i => (long)i), frames.Select(f => f.Offset));
    }

    [Fact]
    public async Task G2_Joining_by_pattern_while_topics_come_into_being_leaves_no_gap_and_no_duplicate()
    {
        var random = TestSeed.NewRandom(out _);
        using var node = new TestNode(o => (o.Shards, o.TailEvents) = (2, 64));
        const int total = 3_000;
        var publishing = Task.Run(async () =>
        {
            for (var i = 1; i <= total; i++)
                await node.PublishAsync(i % 3 == 0 ? $"other/{i}" : $"t/{i / 10}/{i % 4}", i);
        });
        var readers = new List<(TestSink Sink, string Wanted, long? From)>();
        for (var i = 0; i < 40; i++)
        {
            var sink = new TestSink();
            var wanted = random.Next(4) switch
            {
                0 => "t/**",
                1 => "t/*/1",
                2 => "t/*/1 t/** end",
                _ => "t/*/0 t/*/1 t/3/2",
            };
            var head = node.Journal.Head;
            var resume = random.Next(3) switch
            {
                0 => head with { Offset = 0 },
                1 => head with { Offset = random.NextInt64(head.Offset + 1) },
                _ => (Position?)null,
            };
            readers.Add((sink, wanted, resume?.Offset));
            await node.ConnectAsync(sink, wanted + " last/*", resume);
        }
        await publishing;
        var last = (await node.PublishAsync("last/1", "last")).Offset;
        foreach (var (sink, wanted, from) in readers)
        {
            var offsets = (await sink.WhenAsync(f => f.Count > 0 && f[^1].Offset == last)).Select(f => f.Offset).ToList();
            var patterns = wanted.Split(' ').Select(TopicPattern.Parse).ToList();
            var expected = Enumerable
                .Range(1, total)
                .Where(n => n % 3 != 0 && patterns.Any(pattern => pattern.Covers($"t/{n / 10}/{n % 4}")) && n >= (from + 1 ?? offsets[0]))
                .Select(n => (long)n)
                .Append(last);
            Assert.Equal(expected, offsets);
        }
    }

    [Fact]
    public async Task G2_A_position_before_trimmed_events_that_a_pattern_covers_gets_a_reset_and_others_do_not()
    {
        using var node = new TestNode(o => o.TailEvents = 64);
        await node.PublishAsync("kept/1", 0);
        for (var i = 1; i <= 200; i++)
            await node.PublishAsync("trimmed/1", i);
        node.Retention.Prefixes["trimmed"] = new RetentionRule { MaxCount = 10 };
        Assert.Equal(190, await node.Journal.TrimAsync(default));
        TestSink trimmed = new(),
            kept = new();
        var beginning = node.Journal.Head with { Offset = 0 };
        await node.ConnectAsync(trimmed, "kept/1 trimmed/*", beginning);
        await node.ConnectAsync(kept, "kept/*", beginning);
        await node.PublishAsync("trimmed/2", "after");
        var frames = await trimmed.WhenAsync(f => f.Any(x => x.Data == "\"after\""));
        Assert.Equal(["dunlin.reset", "e"], frames.Select(f => f.Name));
        Assert.Equal(["0"], (await kept.WhenCountAsync(1)).Select(f => f.Data));
    }

    [Fact]
    public async Task Readers_of_other_patterns_do_not_share_pages_with_each_other()
    {
        using var node = new TestNode(o => o.TailEvents = 64);
        for (var i = 0; i < 2_000; i++)
            await node.PublishAsync(i % 2 == 0 ? "a/1" : "b/1", i);
        var beginning = node.Journal.Head with { Offset = 0 };
        TestSink a = new(),
            b = new(),
            both = new(),
            named = new();
        await Task.WhenAll(
            node.ConnectAsync(a, "a/*", beginning),
            node.ConnectAsync(b, "b/*", beginning),
            node.ConnectAsync(both, "a/* b/*", beginning),
            node.ConnectAsync(named, "a/1 b/*", beginning)
        );
        Assert.Equal(Enumerable.Range(0, 1_000).Select(i => (2L * i) + 1), (await a.WhenCountAsync(1_000)).Select(f => f.Offset));
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => 2L * i), (await b.WhenCountAsync(1_000)).Select(f => f.Offset));
        Assert.Equal(Enumerable.Range(1, 2_000).Select(i => (long)i), (await both.WhenCountAsync(2_000)).Select(f => f.Offset));
        Assert.Equal(Enumerable.Range(1, 2_000).Select(i => (long)i), (await named.WhenCountAsync(2_000)).Select(f => f.Offset));
    }

    [Fact]
    public async Task G4_A_pattern_that_is_taken_away_is_silent_at_once_and_the_rest_goes_on()
    {
        using var node = new TestNode();
        TestSink both = new(),
            one = new();
        var stays = await node.ConnectAsync(both, "open teams/7/** teams/*/alerts");
        var ends = await node.ConnectAsync(one, "teams/7/**");
        await node.Fanout.ReauthorizeAsync("ann", (_, _) => new(true), (_, pattern) => new(pattern.Text == "teams/*/alerts"));
        await node.PublishAsync("teams/7/chat", "secret");
        await node.PublishAsync("teams/7/alerts", "alert");
        await node.PublishAsync("open", "open");
        var frames = await both.WhenAsync(f => f.Any(x => x.Data == "\"open\""));
        Assert.Equal(["""{"topics":["teams/7/**"]}""", "\"alert\"", "\"open\""], frames.Select(f => f.Data));
        Assert.Equal(["teams/*/alerts"], stays.Patterns.Select(pattern => pattern.Text));
        Assert.Equal(ConnectionEnd.Revoked, await ends.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.DoesNotContain(one.Frames, f => f.Data == "\"secret\"");
    }

    [Fact]
    public async Task G4_Nobody_keeps_a_pattern_where_nobody_is_asked_about_patterns()
    {
        using var node = new TestNode();
        var connection = await node.ConnectAsync(new TestSink(), "open teams/**");
        await node.Fanout.ReauthorizeAsync("ann", (_, _) => new(true));
        await node.Fanout.SettledAsync();
        Assert.Empty(connection.Patterns);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a b/*")]
    public async Task G2_A_stream_that_loses_a_topic_while_it_catches_up_misses_nothing_of_the_others(string topics)
    {
        using var node = new TestNode(o => (o.TailEvents, o.Shards) = (64, 1));
        for (var i = 0; i < 1_000; i++)
            await node.PublishAsync("a", i);
        var sink = new TestSink();
        var blocked = sink.Hold();
        var connection = node.Open(sink, topics);
        var starting = node.Fanout.StartAsync(connection, ":\n\n"u8.ToArray(), node.Journal.Head with { Offset = 0 });
        await blocked.WaitAsync(TimeSpan.FromSeconds(20));
        // It owns its sink and has read little yet; what is delivered now must not overtake what it still has to read.
        await node.Fanout.ReauthorizeAsync("ann", (_, topic) => new(topic.Value == "a"));
        await node.PublishAsync("a", 1_000);
        await node.Fanout.SettledAsync();
        sink.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        // Told of the lost topic it may be before the last event or after it.
        var frames = await sink.WhenAsync(f => f.Any(frame => frame.Data == "1000"));
        Assert.Equal(Enumerable.Range(1, 1_001).Select(i => (long)i), frames.Where(f => f.Name == "e").Select(f => f.Offset));
    }

    [Fact]
    public void Matching_patterns_are_found_like_by_trying_each_whatever_comes_and_goes()
    {
        var random = TestSeed.NewRandom(out var seed);
        using var node = new TestNode();
        var index = new PatternIndex();
        var present = new Dictionary<string, EventStreamConnection>(StringComparer.Ordinal);
        string[] words = ["a", "b", "ab", "%2F"];
        for (var round = 0; round < 3_000; round++)
        {
            var parts = Enumerable
                .Range(0, random.Next(1, 4))
                .Select(_ => random.Next(3) == 0 ? "*" : words[random.Next(words.Length)])
                .ToList();
            if (random.Next(3) == 0)
                parts[^1] = "**";
            var text = string.Join('/', parts);
            if (present.Remove(text))
            {
                index.RemoveAt(TopicPattern.Parse(text), 0);
            }
            else
            {
                present.Add(text, node.Open(new TestSink(), text));
                index.GetOrAdd(TopicPattern.Parse(text)).Add(present[text], 0);
            }
            var name = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => words[random.Next(words.Length)]));
            var expected = present.Where(one => TopicPattern.Parse(one.Key).Covers(name)).Select(one => one.Value.Id).Order();
            var found = index
                .Matching(TopicName.Parse(name))
                .SelectMany(set => set.Seats.ToArray())
                .Select(seat => seat.Connection.Id)
                .Order();
            Assert.True(expected.SequenceEqual(found), $"seed {seed}: '{name}' among {string.Join(' ', present.Keys)}");
        }
    }
}
