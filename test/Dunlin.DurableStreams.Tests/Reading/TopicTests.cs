using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.DurableStreams.Tests.Reading;

/// <summary>A stream is a topic: the application appends in its own transactions, and Dunlin's own streams carry it.</summary>
public sealed class TopicTests
{
    private const string Notes = "/streams/alice/notes";
    private static readonly TopicName Topic = TopicName.Parse("streams/alice/notes");

    [Fact]
    public async Task An_application_appends_in_its_own_transaction()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        await host.Host.Store.WriteAsync(
            static async (unit, ct) =>
            {
                await unit.AppendAsync(EventDraft.Of(TopicName.Parse("orders"), "order.paid", 1), ct);
                await unit.Streams.AppendAsync(Topic, new StreamAppend { Messages = ["{\"paid\":1}"u8.ToArray()] }, ct);
            }
        );
        await Assert.ThrowsAsync<FormatException>(async () =>
            await host.Host.Store.WriteAsync(
                static async (unit, ct) =>
                {
                    await unit.Streams.AppendAsync(Topic, new StreamAppend { Messages = ["2"u8.ToArray()] }, ct);
                    throw new FormatException();
                }
            )
        );
        Assert.Equal("[{\"paid\":1}]", (await host.SendAsync("GET", Notes)).Text);
    }

    [Fact]
    public async Task The_multiplexed_stream_carries_appends_and_resets_after_a_trim()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        await using var reader = await host
            .Host.Client("alice")
            .OpenStreamAsync("/dunlin/v1/events?topic=streams/alice/notes", static item => item);
        (await host.SendAsync("POST", Notes, "[1,2]", type: "application/json")).Is(204);
        Assert.Equal("1", (await reader.UntilAsync(static item => item.EventType == "stream.append")).Data);
        var second = await reader.UntilAsync(static item => item.EventType == "stream.append");
        Assert.Equal("2", second.Data);
        (await host.SendAsync("POST", Notes, "[3]", type: "application/json")).Is(204);
        await reader.UntilAsync(static item => item.Data == "3");
        await host.Host.Store.WriteAsync(static (unit, ct) => unit.Streams.TrimAsync(Topic, long.MaxValue, ct));
        await host.Host.Journal.TrimAsync(CancellationToken.None);
        await host.Host.RestartAsync(); // a running node still has the last events in memory
        await using var late = await host
            .Host.Client("alice")
            .OpenStreamAsync($"/dunlin/v1/events?topic=streams/alice/notes&lastEventId={second.EventId}", static item => item);
        await late.UntilAsync(static item => item.EventType == "dunlin.reset");
    }

    [Fact]
    public async Task A_trimmed_offset_gets_410()
    {
        await using var host = await StreamHost.StartAsync();
        var first = (await host.SendAsync("PUT", Notes, "a")).Next;
        (await host.SendAsync("POST", Notes, "b")).Is(204);
        await host.Host.Store.WriteAsync(static (unit, ct) => unit.Streams.TrimAsync(Topic, long.MaxValue, ct));
        (await host.SendAsync("GET", $"{Notes}?offset={first}")).Is(410);
        (await host.SendAsync("GET", $"{Notes}?offset={first}&live=sse")).Is(410);
        Assert.Equal("", (await host.SendAsync("GET", $"{Notes}?offset=-1")).Text);
    }
}
