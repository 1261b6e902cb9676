using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using KestrelSide = Dunlin.AspNetCore.Tests.Streams.TakeOverTests.KestrelSide;
using RawReader = Dunlin.AspNetCore.Tests.Streams.TakeOverTests.RawReader;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>A stream leaves Kestrel only when Kestrel holds no data of its request, and Kestrel's side always ends.</summary>
public sealed class StreamBodyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Content-Length: 5\r\n", "hello", "a body of 5 bytes")]
    [InlineData("Content-Length: 5\r\n", "", "a body of 5 bytes")]
    [InlineData("Content-Length: 5\r\nExpect: 100-continue\r\n", "", "a body of 5 bytes")]
    [InlineData("Content-Length: 2000000\r\n", "the rest comes later", "a body of 2000000 bytes")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "this request has a body.")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhel", "this request has a body.")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", "this request has a body.")]
    public async Task A_stream_request_with_a_body_is_refused(string headers, string body, string detail)
    {
        var kestrel = new KestrelSide();
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        using var peer = await RawReader.SendAsync(host, Get(headers, body));
        await peer.UntilAsync("traceId");
        Assert.StartsWith("HTTP/1.1 400 ", peer.Text, StringComparison.Ordinal);
        Assert.Contains(detail, peer.Text, StringComparison.Ordinal);
        Assert.Contains("invalid_field", peer.Text, StringComparison.Ordinal);
        Assert.Equal(0, host.Fanout.ConnectionCount);
        peer.Close(reset: true);
        await kestrel.Ended.Task.WaitAsync(Patience);
        Assert.DoesNotContain(" Error ", host.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_request_with_a_body_over_the_server_limit_is_413()
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.SendAsync(host, Get("Content-Length: 300000000\r\n", ""));
        await peer.UntilAsync("traceId");
        Assert.StartsWith("HTTP/1.1 413 ", peer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("Content-Length: 0\r\n", "")]
    [InlineData("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "0\r\nX-Trailer: 1\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "0\r\n\r\n")]
    [InlineData("Connection: Upgrade\r\nUpgrade: example\r\n", "")]
    [InlineData("", "GET /dunlin/v1/stats HTTP/1.1\r\nHost: x\r\n\r\n")]
    public async Task A_stream_request_without_a_body_leaves_Kestrel(string headers, string rest)
    {
        var kestrel = new KestrelSide();
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        using var peer = await RawReader.SendAsync(host, Get(headers, rest));
        await GoesOnAsync(host, kestrel, peer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /dunlin/v1/stats HTTP/1.1\r\nHost: x\r\n\r\n")]
    public async Task A_stream_whose_body_was_read_leaves_Kestrel(string pipelined)
    {
        const string form = "topic=t&topic=u";
        var kestrel = new KestrelSide();
        await using var host = await EngineHost.StartAsync(
            listen: kestrel.Listen,
            map: static app =>
                app.MapPost(
                    "/form",
                    static async context =>
                    {
                        var read = await context.Request.ReadFormAsync(context.RequestAborted);
                        await context
                            .RequestServices.GetRequiredService<EventStreams>()
                            .ServeAsync(context, new StreamRequest([.. read["topic"].Select(TopicName.Parse)]) { OnOpen = Hello });
                    }
                )
        );
        var head =
            $"POST /form HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {form.Length}\r\n\r\n";
        using var peer = await RawReader.SendAsync(host, head + form + pipelined);
        await GoesOnAsync(host, kestrel, peer);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n", "")]
    [InlineData("Content-Length: 2000000\r\n", "some of it")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhel")]
    public async Task The_Kestrel_side_ends_even_with_an_unread_body(string headers, string body)
    {
        var kestrel = new KestrelSide();
        await using var host = await EngineHost.StartAsync(
            listen: kestrel.Listen,
            map: static app =>
                app.Use(
                    static (context, next) =>
                    {
                        context.Features.Set<IHttpRequestBodyDetectionFeature>(new ClaimsNoBody());
                        return next(context);
                    }
                )
        );
        using var peer = await RawReader.SendAsync(host, Get(headers, body));
        await GoesOnAsync(host, kestrel, peer);
    }

    private static async Task GoesOnAsync(EngineHost host, KestrelSide kestrel, RawReader peer)
    {
        await peer.UntilAsync("dunlin.hello");
        await kestrel.Ended.Task.WaitAsync(Patience);
        await host.PublishAsync("t", "news");
        await peer.UntilAsync("news");
        Assert.Equal(1, host.Fanout.ConnectionCount);
        Assert.DoesNotContain(" Error ", host.Log.All, StringComparison.Ordinal);
    }

    private static ValueTask Hello(StreamOpening opening, CancellationToken cancellationToken)
    {
        opening.Write(static frame =>
        {
            frame.Name("opened");
            frame.Json("dunlin.hello");
        });
        return ValueTask.CompletedTask;
    }

    private static string Get(string headers, string body) =>
        $"GET /dunlin/v1/events?topic=t HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n{headers}\r\n{body}";

    private sealed class ClaimsNoBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => false;
    }
}
