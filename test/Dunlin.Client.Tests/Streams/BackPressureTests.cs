using Dunlin.Client.Tests.Support;

namespace Dunlin.Client.Tests.Streams;

/// <summary>A consumer that is slower than the server.</summary>
public sealed class BackPressureTests
{
    private const int MaxReadAhead = 64 * 1024;

    [Fact]
    public async Task Client_reads_no_further_than_one_buffer_ahead_of_its_consumer()
    {
        using var script = new Script();
        await using var items = script.Client.SubscribeAsync("a").GetAsyncEnumerator();
        var first = items.MoveNextAsync();
        var body = (await script.Server.NextAsync()).Open();
        body.Post(Script.Hello(0));
        var data = $"\"{new string('x', 4000)}\"";
        for (var i = 1; i <= 1_000; i++)
            body.Post(Script.Event(i, data));
        Assert.True(await first);
        for (var i = 1; i <= 100; i++)
        {
            Assert.True(items.Current.Position!.Value.TryGetOffset(out _, out var offset));
            Assert.Equal(i, offset);
            Assert.InRange(body.BytesRead, i * 4000L, (i * 4100L) + MaxReadAhead);
            Assert.True(await items.MoveNextAsync());
        }
    }

    [Fact]
    public async Task Time_of_a_slow_consumer_is_no_silence_of_the_server()
    {
        using var script = new Script();
        await using var items = script.Client.SubscribeAsync("a").GetAsyncEnumerator();
        var first = items.MoveNextAsync();
        var body = (await script.Server.NextAsync()).Open();
        body.Post(Script.Hello(0));
        body.Post(Script.Event(1));
        body.Post(Script.Event(2));
        Assert.True(await first);
        script.Time.Advance(TimeSpan.FromHours(1));
        Assert.True(await items.MoveNextAsync());
        Assert.Equal("0000002a-2", items.Current.Position.ToString());
        Assert.Equal(1, script.Server.Received);
    }

    [Fact]
    public async Task Event_beyond_the_limit_closes_the_subscription()
    {
        using var script = new Script(options => options.MaxEventBytes = 2048);
        await using var reader = Reader.Start(script.Client, ["a"]);
        var (_, body) = await script.OpenAsync(0);
        body.Post(Script.Event(1, new string('1', 5000)));
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended.WithinLimit());
        Assert.Equal("tooLarge", error.Problem.Code);
        Assert.Equal(ConnectionStatus.Closed, reader.State.Status);
    }

    [Fact]
    public async Task Cancellation_ends_the_subscription_in_every_state()
    {
        using var script = new Script();
        foreach (var state in new[] { ConnectionStatus.Connecting, ConnectionStatus.Waiting, ConnectionStatus.Live })
        {
            await using var reader = Reader.Start(script.Client, ["a"]);
            var request = await script.Server.NextAsync();
            if (state == ConnectionStatus.Waiting)
                request.Refuse();
            if (state == ConnectionStatus.Live)
                await request.Open().SendAsync(Script.Hello(1));
            await reader.WhenAsync(state);
            await reader.DisposeAsync();
            Assert.Equal(ConnectionStatus.Closed, reader.State.Status);
        }
        Assert.Equal(0, script.Time.ActiveTimers);
    }

    [Fact]
    public async Task Listener_that_throws_does_not_end_the_subscription()
    {
        using var script = new Script();
        var options = new SubscribeOptions { OnStateChanged = static _ => throw new InvalidOperationException("A fault of the listener.") };
        await using var items = script.Client.SubscribeAsync("a", options).GetAsyncEnumerator();
        var first = items.MoveNextAsync();
        var (_, body) = await script.OpenAsync(0);
        body.Post(Script.Event(1));
        Assert.True(await first);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void Number_of_topics_is_checked_before_a_request(int count)
    {
        using var script = new Script();
        Assert.Throws<ArgumentException>(() => script.Client.SubscribeAsync(Enumerable.Repeat("a", count)));
        Assert.Equal(0, script.Server.Received);
    }
}
