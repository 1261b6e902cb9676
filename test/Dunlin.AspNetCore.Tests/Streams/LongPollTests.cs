using System.Net;
using System.Text.RegularExpressions;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using RawReader = Dunlin.AspNetCore.Tests.Streams.TakeOverTests.RawReader;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary><c>GET events?wait=25</c>: one batch of the stream for each request.</summary>
public sealed partial class LongPollTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_poll_without_position_answers_at_once_with_hello_and_position()
    {
        await using var host = await EngineHost.StartAsync();
        var head = await host.PublishAsync("t", 0);
        var (response, text) = await PollAsync(host);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Contains("no-cache", response.Headers.CacheControl?.ToString(), StringComparison.Ordinal);
        Assert.Contains($"id: {head}\nevent: dunlin.hello\n", text, StringComparison.Ordinal);
        Assert.EndsWith($"\n\nid: {head}\n\n", text, StringComparison.Ordinal);
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task A_poll_behind_the_head_answers_at_once_with_the_missed_events()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await host.PublishAsync("t", 0);
        await host.PublishAsync("t", "first");
        var second = await host.PublishAsync("t", "second");
        var (_, text) = await PollAsync(host, from);
        Assert.Equal(["first", "second"], Data(text));
        Assert.Equal(second, PositionOf(text));
    }

    [Fact]
    public async Task A_waiting_poll_leaves_Kestrel_and_answers_with_the_next_event()
    {
        var kestrel = new TakeOverTests.KestrelSide();
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        var from = await PositionAsync(host);
        var poll = PollAsync(host, from);
        await kestrel.Ended.Task.WaitAsync(Patience);
        Assert.False(poll.IsCompleted);
        var position = await host.PublishAsync("t", "news");
        var (response, text) = await poll.WaitAsync(Patience);
        Assert.Equal(["news"], Data(text));
        Assert.Equal(position, PositionOf(text));
        Assert.NotNull(response.Content.Headers.ContentLength);
        Assert.NotNull(response.Headers.Date);
        Assert.DoesNotContain("close", response.Headers.Connection);
    }

    [Fact]
    public async Task A_quiet_poll_ends_after_its_wait_with_the_position_of_its_start()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        var head = await host.PublishAsync("other", 0);
        var poll = PollAsync(host, from, wait: "5");
        await host.LiveAsync();
        Assert.False(poll.IsCompleted);
        await AdvanceAsync(host, poll, TimeSpan.FromSeconds(7));
        var (_, text) = await poll.WaitAsync(Patience);
        Assert.Empty(Data(text));
        Assert.Equal(head, PositionOf(text));
    }

    [Fact]
    public async Task A_connection_serves_several_polls_and_other_requests()
    {
        await using var host = await EngineHost.StartAsync();
        var position = await PositionAsync(host);
        using var peer = await RawReader.SendAsync(host, Request(position));
        for (var i = 0; i < 5; i++)
        {
            await host.LiveAsync();
            position = await host.PublishAsync("t", $"event {i}");
            await peer.UntilAsync($"\n\nid: {position}\n\n");
            Assert.Contains($"event {i}", peer.Text, StringComparison.Ordinal);
            await peer.SendAsync(System.Text.Encoding.ASCII.GetBytes(Request(position)));
        }
        await host.LiveAsync();
        Assert.Equal(5, Count(peer.Text, "HTTP/1.1 200 OK"));
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order_after_the_poll()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        // The first follower arrives with the poll, the second while the poll waits.
        using var peer = await RawReader.SendAsync(host, Request(from) + "GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n");
        await host.LiveAsync();
        await peer.SendAsync("GET /healthz/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        await host.PublishAsync("t", "news");
        var text = await peer.ToEndAsync();
        Assert.Equal(3, Count(text, "HTTP/1.1 200 OK"));
        Assert.InRange(text.IndexOf("live", StringComparison.Ordinal), text.IndexOf("news", StringComparison.Ordinal), text.Length);
        Assert.EndsWith("\r\nready\r\n0\r\n\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_asks_to_close_gets_its_connection_closed()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        using var peer = await RawReader.SendAsync(host, Request(from, "Connection: close\r\n"));
        await host.LiveAsync();
        await host.PublishAsync("t", "news");
        var text = await peer.ToEndAsync();
        Assert.Contains("Connection: close\r\n", text, StringComparison.Ordinal);
        Assert.Contains("news", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_ends_its_poll_and_frees_its_place(bool reset)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxPerUser = 1)
        );
        var from = await PositionAsync(host);
        var closed = new TaskCompletionSource<ConnectionEnd>();
        using var peer = await RawReader.SendAsync(host, Request(from));
        await host.LiveAsync();
        host.Fanout.Closed.Subscribe(connection => closed.TrySetResult(connection.Completion.Result));
        peer.Close(reset);
        Assert.Equal(ConnectionEnd.Gone, await closed.Task.WaitAsync(Patience));
        await EngineHost.UntilAsync(() => host.Services.GetRequiredService<StreamLimits>().Counts.All == 0);
    }

    /// <summary>The place of a poll is free before its answer is complete.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_at_its_limit_may_poll_again_at_once(bool waits)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxPerUser = 1)
        );
        var from = await PositionAsync(host);
        for (var i = 0; i < 300; i++)
        {
            if (!waits)
                await host.PublishAsync("t", i);
            var poll = PollAsync(host, from);
            if (waits)
            {
                await host.LiveAsync();
                await host.PublishAsync("t", i);
            }
            from = PositionOf((await poll).Text);
        }
    }

    [Fact]
    public async Task Waiting_polls_count_for_the_limits_of_streams()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxPerUser = 1)
        );
        var from = await PositionAsync(host);
        var poll = PollAsync(host, from);
        await host.LiveAsync();
        using var client = host.Client();
        using var refused = await client.GetAsync("/dunlin/v1/events?topic=t&wait=25");
        await HttpAssert.ProblemAsync(refused, 429, "too_many_connections");
        await host.PublishAsync("t", "news");
        await poll.WaitAsync(Patience);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("2.5")]
    [InlineData("99999999999")]
    public async Task A_wait_that_is_no_number_of_seconds_is_refused(string wait)
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var response = await client.GetAsync($"/dunlin/v1/events?topic=t&wait={wait}");
        var problem = await HttpAssert.ProblemAsync(response, 400, "invalid_field");
        Assert.Equal("wait", problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task A_wait_of_zero_answers_at_once()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        var (_, text) = await PollAsync(host, from, wait: "0");
        Assert.Empty(Data(text));
        Assert.Equal(from, PositionOf(text));
    }

    [Fact]
    public async Task A_wait_above_the_limit_ends_at_the_limit()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxWait = TimeSpan.FromSeconds(3))
        );
        var from = await PositionAsync(host);
        var poll = PollAsync(host, from, wait: "3600");
        await host.LiveAsync();
        await AdvanceAsync(host, poll, TimeSpan.FromSeconds(5));
        Assert.Equal(from, PositionOf((await poll.WaitAsync(Patience)).Text));
    }

    [Theory]
    [InlineData("ffffffff-7", "epoch")]
    [InlineData("nonsense", "unknown")]
    public async Task A_lost_position_answers_at_once_with_a_reset(string position, string reason)
    {
        await using var host = await EngineHost.StartAsync();
        var head = await host.PublishAsync("t", 0);
        var (_, text) = await PollAsync(host, position);
        Assert.Contains("event: dunlin.reset", text, StringComparison.Ordinal);
        Assert.Contains($"\"reason\":\"{reason}\"", text, StringComparison.Ordinal);
        Assert.Equal(head, PositionOf(text));
    }

    [Fact]
    public async Task A_refused_topic_and_a_missing_caller_get_problem_responses()
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var client = host.Client();
        using var forbidden = await client.GetAsync("/dunlin/v1/events?topic=secret&wait=25");
        await HttpAssert.ProblemAsync(forbidden, 403, "forbidden");
        using var nobody = host.Client(user: null);
        using var unknown = await nobody.GetAsync("/dunlin/v1/events?topic=t&wait=25");
        await HttpAssert.ProblemAsync(unknown, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_stopping_host_answers_waiting_polls_with_a_goodbye()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        using var peer = await RawReader.SendAsync(host, Request(from));
        await host.LiveAsync();
        await host.StopAsync();
        var text = await peer.ToEndAsync();
        Assert.Contains("event: dunlin.goodbye", text, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"draining\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n\nid: ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transient_events_and_events_of_a_pattern_end_a_wait()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        var poll = PollAsync(host, from, topic: "t/**");
        await host.LiveAsync();
        host.Fanout.PublishTransient(new EventDraft(TopicName.Parse("t/typing"), "typing", "1"u8.ToArray()));
        var (_, text) = await poll.WaitAsync(Patience);
        Assert.Contains("event: typing\n", text, StringComparison.Ordinal);
        Assert.Equal(from, PositionOf(text));
    }

    [Fact]
    public async Task Headers_of_middleware_are_part_of_a_detached_response()
    {
        await using var host = await EngineHost.StartAsync(map: static app =>
            app.Use(
                static (context, next) =>
                {
                    context.Response.OnStarting(() =>
                    {
                        context.Response.Headers["X-Late"] = "from middleware";
                        return Task.CompletedTask;
                    });
                    return next(context);
                }
            )
        );
        var from = await PositionAsync(host);
        var poll = PollAsync(host, from);
        await host.LiveAsync();
        await host.PublishAsync("t", "news");
        var (response, _) = await poll.WaitAsync(Patience);
        Assert.Equal("from middleware", response.Headers.GetValues("X-Late").Single());
    }

    [Fact]
    public async Task A_batch_larger_than_every_window_arrives_complete()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        using var peer = await RawReader.SendAsync(host, Request(from), receiveBuffer: 8 * 1024);
        await host.LiveAsync();
        var drafts = Enumerable
            .Range(0, 30)
            .Select(i => new EventDraft(
                TopicName.Parse("t"),
                "e",
                System.Text.Encoding.ASCII.GetBytes($"\"{i}:{new string('x', 60_000)}\"")
            ));
        await host.Journal.AppendAsync([.. drafts], null, TestContext.Current.CancellationToken);
        await peer.UntilAsync("\n\nid: ");
        Assert.Contains("\"0:x", peer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Polls_in_sequence_receive_every_event_exactly_once()
    {
        await using var host = await EngineHost.StartAsync();
        var position = await PositionAsync(host);
        const int events = 300;
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < events; i++)
            {
                var draft = new EventDraft(
                    TopicName.Parse(i % 3 == 0 ? "other" : "t"),
                    "e",
                    System.Text.Encoding.ASCII.GetBytes($"\"{i}\"")
                );
                await host.Journal.AppendAsync([draft], null, TestContext.Current.CancellationToken);
            }
        });
        using var client = host.Client();
        var received = new List<string>();
        var expected = Enumerable.Range(0, events).Where(static i => i % 3 != 0).Select(static i => $"{i}").ToList();
        while (received.Count < expected.Count)
        {
            var text = await client
                .GetStringAsync($"/dunlin/v1/events?topic=t&wait=25&lastEventId={position}", TestContext.Current.CancellationToken)
                .WaitAsync(Patience);
            received.AddRange(Data(text));
            position = PositionOf(text);
        }
        await publishing;
        Assert.Equal(expected, received);
    }

    [Fact]
    public async Task A_returned_socket_is_closed_when_the_host_stops()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await PositionAsync(host);
        using var peer = await RawReader.SendAsync(host, Request(from));
        await host.LiveAsync();
        await host.PublishAsync("t", "news");
        await peer.UntilAsync("news");
        var factory = (DirectListenerFactory)host.Services.GetRequiredService<IConnectionListenerFactory>();
        await host.StopAsync();
        Assert.Contains("news", await peer.ToEndAsync(), StringComparison.Ordinal);
        await EngineHost.UntilAsync(() => factory.Open.Counts == (0, 0));
    }

    private static string Request(string from, string headers = "") =>
        $"GET /dunlin/v1/events?topic=t&wait=25&lastEventId={from} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n{headers}\r\n";

    private static async Task<(HttpResponseMessage Response, string Text)> PollAsync(
        EngineHost host,
        string? from = null,
        string wait = "25",
        string topic = "t"
    )
    {
        var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/dunlin/v1/events?topic={topic}&wait={wait}");
        if (from is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", from);
        var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (response, await response.Content.ReadAsStringAsync());
    }

    private static async Task<string> PositionAsync(EngineHost host) => PositionOf((await PollAsync(host)).Text);

    // The poll may arm its timer after the first advance, so time moves on until the poll ends.
    private static Task AdvanceAsync(EngineHost host, Task poll, TimeSpan step) =>
        EngineHost.UntilAsync(() =>
        {
            host.Time.Advance(step);
            return poll.IsCompleted;
        });

    private static string PositionOf(string text) => LastId().Match(text).Groups[1].Value;

    private static List<string> Data(string text) => [.. EventData().Matches(text).Select(static match => match.Groups[1].Value)];

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex(@"\n\nid: ([0-9a-f-]+)\n\n$")]
    private static partial Regex LastId();

    [GeneratedRegex("event: e\ntopic: [a-z]+\ndata: \"([^\"]*)\"\n")]
    private static partial Regex EventData();
}
