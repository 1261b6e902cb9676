using Dunlin.Client.Tests.Support;

namespace Dunlin.Client.Tests.Positions;

/// <summary>Positions that survive a restart.</summary>
public sealed class PositionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-positions-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("0000002a-17", true)]
    [InlineData("0000002a-0", true)]
    [InlineData("0000002A-17", false)]
    [InlineData("0000002a-017", false)]
    [InlineData("0000002a-", false)]
    public void Only_the_form_of_an_engine_has_an_offset(string text, bool isEngines) =>
        Assert.Equal(isEngines, new StreamPosition(text).TryGetOffset(out _, out _));

    [Fact]
    public async Task Restarted_process_resumes_after_the_last_processed_event()
    {
        using var script = new Script();
        await using (var items = script.Client.SubscribeAsync("a", Options()).GetAsyncEnumerator())
        {
            var next = items.MoveNextAsync();
            var (_, body) = await script.OpenAsync(1);
            body.Post(Script.Event(2));
            body.Post(Script.Event(3));
            Assert.True(await next);
            Assert.True(await items.MoveNextAsync());
            Assert.Equal("0000002a-3", items.Current.Position.ToString());
            // The process ends while it works on event 3.
        }
        await using var reader = Reader.Start(script.Client, ["a"], Options());
        var (request, _) = await script.OpenAsync(5);
        Assert.Equal("0000002a-2", request.Headers["Last-Event-ID"]);
    }

    [Fact]
    public async Task Idle_subscription_saves_at_once_also_before_its_first_event()
    {
        using var script = new Script();
        await using var reader = Reader.Start(script.Client, ["a"], Options());
        var (_, body) = await script.OpenAsync(7);
        await body.WhenDrainedAsync();
        Assert.Equal("0000002a-7", (await SavedAsync()).ToString());
        await body.SendAsync(Script.Event(8));
        Assert.Equal("0000002a-8", (await SavedAsync()).ToString());
    }

    [Fact]
    public async Task Busy_subscription_saves_once_for_each_interval()
    {
        var store = new CountingStore();
        using var script = new Script();
        var options = new SubscribeOptions
        {
            Positions = store,
            Name = "busy",
            SaveInterval = TimeSpan.FromSeconds(10),
        };
        await using var items = script.Client.SubscribeAsync("a", options).GetAsyncEnumerator();
        var next = items.MoveNextAsync();
        var request = await script.Server.NextAsync();
        var bytes = Enumerable.Range(1, 50).SelectMany(i => Script.Event(i)).ToArray();
        request.Open().Post([.. Script.Hello(0), .. bytes]);
        for (var i = 1; i <= 49; i++)
        {
            Assert.True(await next);
            if (i == 25)
                script.Time.Advance(TimeSpan.FromSeconds(10));
            next = items.MoveNextAsync();
        }
        Assert.True(await next);
        Assert.Equal(["0000002a-1", "0000002a-25"], store.Saved);
    }

    [Fact]
    public async Task Reset_position_is_saved_too()
    {
        using var script = new Script();
        await using var reader = Reader.Start(script.Client, ["a"], Options());
        var (_, body) = await script.OpenAsync(7);
        await body.SendAsync(
            "id: 0000002b-1\nevent: dunlin.reset\ncontrol: reset\ndata: {\"reason\":\"epoch\",\"position\":\"0000002b-1\"}\n\n"u8.ToArray()
        );
        Assert.True((await reader.NextAsync()).IsReset);
        Assert.Equal("0000002b-1", (await SavedAsync()).ToString());
    }

    [Fact]
    public async Task Failing_store_ends_the_subscription_with_its_exception()
    {
        using var script = new Script();
        var options = new SubscribeOptions
        {
            Positions = new CountingStore { Fails = true },
            Name = "broken",
        };
        await using var reader = Reader.Start(script.Client, ["a"], options);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => reader.Ended.WithinLimit());
    }

    [Fact]
    public async Task Store_without_a_name_is_refused()
    {
        using var script = new Script();
        await using var reader = Reader.Start(script.Client, ["a"], new SubscribeOptions { Positions = new CountingStore() });
        await Assert.ThrowsAsync<ArgumentException>(() => reader.Ended.WithinLimit());
    }

    [Fact]
    public async Task Names_that_differ_only_in_special_characters_have_their_own_files()
    {
        var store = new FilePositionStore(_folder.FullName);
        await store.SaveAsync("a/b", new StreamPosition("0000002a-1"), default);
        await store.SaveAsync("a?b", new StreamPosition("0000002a-2"), default);
        Assert.Equal("0000002a-1", (await store.LoadAsync("a/b", default)).ToString());
        Assert.Equal("0000002a-2", (await store.LoadAsync("a?b", default)).ToString());
        Assert.Null(await store.LoadAsync("a b", default));
        Assert.Equal(2, _folder.GetFiles().Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nline")]
    public async Task Damaged_file_is_reported_with_its_path(string content)
    {
        var store = new FilePositionStore(_folder.FullName);
        await store.SaveAsync("a", new StreamPosition("0000002a-1"), default);
        var file = Assert.Single(_folder.GetFiles());
        await File.WriteAllTextAsync(file.FullName, content);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => store.LoadAsync("a", default).AsTask());
        Assert.Contains(file.FullName, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000002a-17", true, 42u, 17)]
    [InlineData("0000002a-", false, 0u, 0)]
    [InlineData("xyz", false, 0u, 0)]
    [InlineData("0000002a-1 ", false, 0u, 0)]
    public void Offset_is_read_from_positions_of_the_engine_only(string text, bool expected, uint epoch, long offset)
    {
        var position = StreamPosition.OfWire(text)!.Value;
        Assert.Equal(expected, position.TryGetOffset(out var e, out var o));
        if (expected)
            Assert.Equal((epoch, offset), (e, o));
    }

    private async Task<StreamPosition?> SavedAsync() => await new FilePositionStore(_folder.FullName).LoadAsync("worker", default);

    private SubscribeOptions Options() => new() { Positions = new FilePositionStore(_folder.FullName), Name = "worker" };

    private sealed class CountingStore : IPositionStore
    {
        public List<string> Saved { get; } = [];

        public bool Fails { get; init; }

        public ValueTask<StreamPosition?> LoadAsync(string name, CancellationToken cancellationToken) =>
            Fails ? throw new UnauthorizedAccessException("Read-only.") : new ValueTask<StreamPosition?>(result: null);

        public ValueTask SaveAsync(string name, StreamPosition position, CancellationToken cancellationToken)
        {
            Saved.Add(position.ToString());
            return default;
        }
    }
}
