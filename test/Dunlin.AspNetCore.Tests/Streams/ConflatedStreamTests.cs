using System.Net;
using System.Net.Security;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.AspNetCore.Hosting;

namespace Dunlin.AspNetCore.Tests.Streams;

public sealed class ConflatedStreamTests
{
    [Fact]
    public async Task A_resumed_conflated_stream_gets_last_events_and_then_all()
    {
        await using var host = await EngineHost.StartAsync();
        var from = await host.PublishAsync("ships/1", 0);
        for (var i = 1; i <= 5; i++)
        {
            await host.PublishAsync("ships/1", i);
            await host.PublishAsync("ships/2", 10 * i);
        }
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=ships/**&conflate=true", lastEventId: from);
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).EventType);
        Assert.Equal(["5", "50"], (await reader.NextAsync(2)).Select(item => item.Data));
        // Until the stream is live, a later event replaces an earlier one.
        await host.LiveAsync();
        await host.PublishAsync("ships/1", 6);
        await host.PublishAsync("ships/1", 7);
        Assert.Equal(["6", "7"], (await reader.NextAsync(2)).Select(item => item.Data));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_stalled_conflated_stream_gets_the_last_events_only(string scheme)
    {
        await using var host = await EngineHost.StartAsync(listen: kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen =>
                {
                    if (scheme == "https")
                        listen.UseHttps(TestCertificate.Create());
                }
            )
        );
        using var client = new HttpClient(
            new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
                ConnectCallback = static async (context, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8 * 1024 };
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = host.Address,
        };
        client.DefaultRequestHeaders.Add("X-User", "ann");
        using var response = await client.GetAsync("/dunlin/v1/events?topic=t&conflate=true", HttpCompletionOption.ResponseHeadersRead);
        const int events = 5_000;
        var topic = TopicName.Parse("t");
        var padding = new string('x', 1_000);
        for (var i = 1; i <= events; i++)
            await host.Journal.AppendAsync(EventDraft.Of(topic, "e", $"{i} {padding}"));
        await host.Fanout.SettledAsync();
        var read = new List<int>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync())
        {
            if (item.EventType == "e")
                read.Add(int.Parse(item.Data.AsSpan(1, item.Data.IndexOf(' ') - 1), System.Globalization.CultureInfo.InvariantCulture));
            if (read.LastOrDefault() == events)
                break;
        }
        Assert.Equal(read.Order().Distinct(), read);
        // Without a bound on the kernel's buffer about 3,100 events arrive; without conflation all of them.
        Assert.InRange(read.Count, 1, 400);
    }

    [Fact]
    public async Task An_invalid_boolean_is_refused()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/events?topic=t&conflate=1", HttpCompletionOption.ResponseHeadersRead);
        await HttpAssert.ProblemAsync(response, 400, "invalid_field");
    }
}
