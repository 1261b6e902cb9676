using Dunlin.DurableStreams;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

public abstract partial class StreamConformance
{
    /// <summary>Checks that a fork has the data up to its offset and then its own.</summary>
    [Fact]
    public async Task A_fork_reads_its_source_and_then_its_own_data()
    {
        await CreateAsync(Notes);
        var first = await AppendTextAsync(Notes, "a");
        await AppendTextAsync(Notes, "b");
        await ForkAsync(Branch, Notes, first);
        await AppendTextAsync(Notes, "c");
        Assert.Equal("a", await TextAsync(Branch, -1));
        Assert.Equal(first, (await Reader.FindAsync(Branch, Cancellation))!.Tail);
        await AppendTextAsync(Branch, "x");
        await ForkAsync(Twig, Branch, null);
        await AppendTextAsync(Twig, "y");
        await AppendTextAsync(Branch, "z");
        Assert.Equal("abc", await TextAsync(Notes, -1));
        Assert.Equal("axz", await TextAsync(Branch, -1));
        Assert.Equal("axy", await TextAsync(Twig, -1));
        Assert.Equal("xy", await TextAsync(Twig, first));
    }

    /// <summary>Checks forks that begin inside an append, also forks of forks.</summary>
    [Fact]
    public async Task A_fork_may_begin_inside_an_append()
    {
        await CreateAsync(Notes);
        await AppendTextAsync(Notes, "hello world");
        await ForkAsync(Branch, Notes, 0, 5);
        await ForkAsync(Twig, Branch, 0, 3);
        var leaf = TopicName.Parse("streams/leaf");
        await ForkAsync(leaf, Branch, null);
        await AppendTextAsync(Branch, "!");
        await AppendTextAsync(Twig, "?");
        Assert.Equal("hello!", await TextAsync(Branch, -1));
        Assert.Equal("hel?", await TextAsync(Twig, -1));
        Assert.Equal("hello", await TextAsync(leaf, -1));
        var missing = await Reader.ResolveAsync(new StreamForkPoint(Notes, 0) { SubOffset = 12 }, Cancellation);
        var refused = await CreateAsync(TopicName.Parse("streams/none"), new StreamSettings { ForkOf = missing });
        Assert.Equal(StreamOutcome.ForkOutOfRange, refused.Outcome);
    }

    /// <summary>Checks that a deleted source stays for its forks and goes with the last one.</summary>
    [Fact]
    public async Task A_deleted_source_goes_with_its_last_fork()
    {
        await CreateAsync(Notes);
        await AppendTextAsync(Notes, "a");
        await ForkAsync(Branch, Notes, null);
        await ForkAsync(Twig, Branch, null);
        await DeleteAsync(Notes);
        await DeleteAsync(Branch);
        Assert.True((await Reader.FindAsync(Notes, Cancellation))!.IsDeleted);
        Assert.Equal(StreamOutcome.Deleted, (await CreateAsync(Notes)).Outcome);
        Assert.Equal(StreamOutcome.Deleted, (await WriteAsync(Notes, Text("x"))).Outcome);
        await Journal.TrimAsync(Cancellation);
        Assert.Equal("a", await TextAsync(Twig, -1));
        await DeleteAsync(Twig);
        Assert.Null(await Reader.FindAsync(Notes, Cancellation));
        Assert.Null(await Reader.FindAsync(Branch, Cancellation));
        await Journal.TrimAsync(Cancellation);
        Assert.Empty(await ReadAllAsync(0, Notes.Value, Branch.Value, Twig.Value));
        Assert.Equal(StreamOutcome.Created, (await CreateAsync(Notes)).Outcome);
    }

    /// <summary>Checks that trimming a source removes nothing that its forks inherited, until they are gone.</summary>
    [Fact]
    public async Task Trimming_a_source_keeps_what_forks_inherited()
    {
        await CreateAsync(Notes);
        var first = await AppendTextAsync(Notes, "a");
        var second = await AppendTextAsync(Notes, "b");
        await ForkAsync(Branch, Notes, null);
        await Store.WriteAsync((unit, ct) => unit.Streams.TrimAsync(Notes, first, ct), Cancellation);
        Assert.Equal(0, await Journal.TrimAsync(Cancellation));
        Assert.Equal("ab", await TextAsync(Branch, -1));
        Assert.Equal("b", await TextAsync(Notes, -1));
        await DeleteAsync(Branch);
        await Journal.TrimAsync(Cancellation);
        Assert.Equal("b", await TextAsync(Notes, -1));
        Assert.DoesNotContain(await ReadAllAsync(0, Notes.Value), entry => entry.Position.Offset == first);
        await Store.WriteAsync((unit, ct) => unit.Streams.TrimAsync(Notes, second, ct), Cancellation);
        Assert.Equal(StreamOutcome.ForkOutOfRange, await ForkAsync(Twig, Notes, first));
    }

    /// <summary>Checks that creating the same stream twice is no error, and with other settings is.</summary>
    [Fact]
    public async Task Creating_a_stream_twice_compares_the_settings()
    {
        var settings = new StreamSettings { ContentType = "text/plain", TimeToLive = TimeSpan.FromMinutes(1) };
        Assert.Equal(StreamOutcome.Created, (await CreateAsync(Notes, settings)).Outcome);
        Assert.Equal(StreamOutcome.Duplicate, (await CreateAsync(Notes, settings with { ContentType = "TEXT/plain; a=b" })).Outcome);
        Assert.Equal(StreamOutcome.SettingsMismatch, (await CreateAsync(Notes, settings with { TimeToLive = null })).Outcome);
        Assert.Equal(StreamOutcome.SettingsMismatch, (await CreateAsync(Notes, settings with { IsClosed = true })).Outcome);
        Assert.Equal(StreamOutcome.Created, await ForkAsync(Branch, Notes, null));
        Assert.Equal(StreamOutcome.Duplicate, await ForkAsync(Branch, Notes, null));
        Assert.Equal(StreamOutcome.SettingsMismatch, (await CreateAsync(Branch, settings)).Outcome);
        Assert.Equal(StreamOutcome.SourceNotFound, await ForkAsync(Twig, TopicName.Parse("streams/none"), null));
        Assert.Equal(StreamOutcome.ForkOutOfRange, await ForkAsync(Twig, Notes, 1_000_000));
    }

    /// <summary>Checks that reads and writes move the end of a stream with a time to live, and that it ends.</summary>
    [Fact]
    public async Task Reads_and_writes_move_the_end_of_a_stream()
    {
        await CreateAsync(Notes, new StreamSettings { TimeToLive = TimeSpan.FromSeconds(60) });
        Time.Advance(TimeSpan.FromSeconds(50));
        await AppendTextAsync(Notes, "a");
        Time.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal("a", await TextAsync(Notes, -1));
        Time.Advance(TimeSpan.FromSeconds(50));
        Assert.NotNull(await Reader.FindAsync(Notes, Cancellation));
        Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(await Reader.FindAsync(Notes, Cancellation));
        Assert.Equal(StreamOutcome.NotFound, (await WriteAsync(Notes, Text("b"))).Outcome);
        Assert.Equal(StreamOutcome.Created, (await CreateAsync(Notes)).Outcome);
        Assert.Equal("", await TextAsync(Notes, -1));
    }

    /// <summary>Checks that expired streams are removed with their data, and that forks outlive their source.</summary>
    [Fact]
    public async Task Expired_streams_are_removed_in_the_background()
    {
        await CreateAsync(Notes, new StreamSettings { ExpiresAt = Time.GetUtcNow() + TimeSpan.FromSeconds(5) });
        await AppendTextAsync(Notes, "a");
        await CreateAsync(Branch, new StreamSettings { ForkOf = new StreamForkPoint(Notes), TimeToLive = TimeSpan.FromSeconds(60) });
        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, await Store.WriteAsync((unit, ct) => unit.Streams.EndExpiredAsync(10, ct), Cancellation));
        Assert.True((await Reader.FindAsync(Notes, Cancellation))!.IsDeleted);
        Assert.Equal("a", await TextAsync(Branch, -1));
        Time.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(1, await Store.WriteAsync((unit, ct) => unit.Streams.EndExpiredAsync(10, ct), Cancellation));
        await Journal.TrimAsync(Cancellation);
        Assert.Empty(await ReadAllAsync(0, Notes.Value, Branch.Value));
    }

    private async Task<StreamOutcome> ForkAsync(TopicName topic, TopicName source, long? offset, int subOffset = 0)
    {
        var point = await Reader.ResolveAsync(new StreamForkPoint(source, offset) { SubOffset = subOffset }, Cancellation);
        return (await CreateAsync(topic, new StreamSettings { ForkOf = point })).Outcome;
    }

    private async Task DeleteAsync(TopicName topic) =>
        await Store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(topic, ct), Cancellation);
}
