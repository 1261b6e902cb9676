using System.Net;
using System.Net.Security;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>A stream that left Kestrel with its socket behaves like any other, for its client and for the engine.</summary>
public sealed class TakeOverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_stream_over_plain_HTTP_1_1_leaves_Kestrel_and_continues()
    {
        var kestrel = new KestrelSide();
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=t");
        await reader.UntilAsync("dunlin.hello");
        await kestrel.Ended.Task.WaitAsync(Patience);
        var position = await host.PublishAsync("t", "news");
        var item = await reader.UntilAsync("e");
        Assert.Equal((position, "\"news\""), (item.EventId, item.Data));
        Assert.Equal(1, host.Fanout.ConnectionCount);
        Assert.True(reader.IsOpen);
    }

    [Theory]
    [InlineData("https", "1.1")]
    [InlineData("https", "2.0")]
    public async Task A_stream_over_TLS_stays_in_Kestrel(string scheme, string version)
    {
        var kestrel = new KestrelSide(scheme);
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        using var client = new HttpClient(
            new SocketsHttpHandler
            {
                ResponseDrainTimeout = TimeSpan.Zero,
                SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
            }
        )
        {
            BaseAddress = host.Address,
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        client.DefaultRequestHeaders.Add("X-User", "ann");
        var response = await client.GetAsync("/dunlin/v1/events?topic=t", HttpCompletionOption.ResponseHeadersRead);
        await using var reader = await EventStreamReader<SseItem<string>>.OpenAsync(client, response, static item => item);
        await reader.UntilAsync("dunlin.hello");
        await host.Journal.AppendAsync(new EventDraft(TopicName.Parse("t"), "e", "1"u8.ToArray()));
        await reader.UntilAsync("e");
        Assert.False(kestrel.Ended.Task.IsCompleted);
        Assert.DoesNotContain("close", response.Headers.Connection);
    }

    [Fact]
    public async Task Frames_of_every_size_arrive_complete_and_in_order()
    {
        var random = TestSeed.NewRandom(out _);
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=t");
        await reader.UntilAsync("dunlin.hello");
        var sent = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            // Mostly single frames, sometimes several per flush, sometimes one that exceeds every window.
            var drafts = new List<EventDraft>();
            for (var n = random.Next(3) > 0 ? 1 : random.Next(1, 20); n > 0; n--)
            {
                var data = JsonSerializer.SerializeToUtf8Bytes(
                    new string((char)random.Next('a', 'z'), random.Next(12) == 0 ? random.Next(60_000) : random.Next(300))
                );
                drafts.Add(new EventDraft(TopicName.Parse("t"), "e", data));
                sent.Add(Encoding.UTF8.GetString(data));
            }
            await host.Journal.AppendAsync(drafts, null, TestContext.Current.CancellationToken);
        }
        foreach (var data in sent)
            Assert.Equal(data, (await reader.UntilAsync("e")).Data);
    }

    [Fact]
    public async Task Frames_of_equal_length_arrive_unchanged()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=t");
        await reader.UntilAsync("dunlin.hello");
        for (var i = 100; i < 150; i++)
        {
            await host.PublishAsync("t", i);
            Assert.Equal($"{i}", (await reader.UntilAsync("e")).Data);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_disconnected_peer_ends_its_stream_at_once(bool reset)
    {
        await using var host = await EngineHost.StartAsync();
        var closed = Closed(host);
        using var peer = await RawReader.OpenAsync(host);
        peer.Close(reset);
        Assert.Equal(ConnectionEnd.Gone, await closed.WaitAsync(Patience));
        Assert.Equal(0, host.Fanout.ConnectionCount);
        await host.PublishAsync("t", "to nobody");
    }

    [Fact]
    public async Task Unsolicited_input_is_ignored_and_too_much_ends_the_stream()
    {
        await using var host = await EngineHost.StartAsync();
        var closed = Closed(host);
        using var peer = await RawReader.OpenAsync(host);
        await peer.SendAsync("GET /dunlin/v1/stats HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n\r\n"u8.ToArray());
        await host.PublishAsync("t", "still here");
        await peer.UntilAsync("still here");
        Assert.DoesNotContain("totalConnections", peer.Text, StringComparison.Ordinal);
        var noise = new byte[8 * 1024];
        try
        {
            while (!closed.IsCompleted)
                await peer.SendAsync(noise);
        }
        catch (SocketException)
        {
            // The reset is the expected result.
        }
        await closed.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_stopping_host_waits_until_streams_have_sent_goodbye_and_body_end()
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.OpenAsync(host);
        await host.StopAsync();
        // The host has stopped, so nothing more will be sent.
        var text = await peer.ToEndAsync();
        Assert.Contains("event: dunlin.goodbye", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n0\r\n\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stalled_reader_loses_nothing_and_delays_nobody()
    {
        await using var host = await EngineHost.StartAsync();
        using var slow = await RawReader.OpenAsync(host, receiveBuffer: 8 * 1024);
        await using var quick = await host.OpenAsync("/dunlin/v1/events?topic=t");
        await quick.UntilAsync("dunlin.hello");
        var filler = new string('x', 60_000);
        const int events = 200; // 12 MB: more than all windows and queues hold
        for (var i = 0; i < events; i++)
        {
            await host.Journal.AppendAsync(new EventDraft(TopicName.Parse("t"), "e", JsonSerializer.SerializeToUtf8Bytes($"{i}:{filler}")));
            Assert.StartsWith($"\"{i}:", (await quick.UntilAsync("e")).Data, StringComparison.Ordinal);
        }
        await slow.UntilAsync($"\"{events - 1}:");
        var text = slow.Text;
        var places = Enumerable.Range(0, events).Select(i => text.IndexOf($"\"{i}:x", StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.Equal(places, Enumerable.Range(0, events).Select(i => text.LastIndexOf($"\"{i}:x", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Connections_outside_Kestrel_count_for_its_limit()
    {
        await using var host = await EngineHost.StartAsync(listen: static kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = 3;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var closed = Closed(host);
        using var first = await RawReader.OpenAsync(host);
        using var second = await RawReader.OpenAsync(host);
        using var third = await RawReader.OpenAsync(host);
        await Assert.ThrowsAnyAsync<Exception>(() => RawReader.OpenAsync(host));
        Assert.Contains("new ones are refused", host.Log.All, StringComparison.Ordinal);
        first.Close(reset: true);
        await closed.WaitAsync(Patience);
        // The slot is released when the socket is closed, shortly after the stream ended. No event signals that, so retry.
        RawReader? fourth = null;
        for (var tries = 0; fourth is null && tries < 1_000; tries++)
        {
            try
            {
                fourth = await RawReader.OpenAsync(host);
            }
            catch (Exception exception) when (exception is SocketException or EndOfStreamException)
            {
                await Task.Yield();
            }
        }
        using var place = fourth;
        Assert.Equal(3, host.Fanout.ConnectionCount);
    }

    [Theory]
    [InlineData("/dunlin/v1/events?topic=t", null)]
    [InlineData("/dunlin/v1/streams", """{"streams":[{"id":"1","path":"/dunlin/v1/events?topic=t"}]}""")]
    public async Task The_kernel_closes_a_stream_that_acknowledges_nothing(string path, string? body)
    {
        var accepted = new TaskCompletionSource<Socket>();
        await using var host = await EngineHost.StartAsync(
            services => services.Configure<FanoutOptions>(fanout => fanout.WriteTimeout = TimeSpan.FromSeconds(42)),
            listen: kestrel =>
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                        ((IConnectionBuilder)listen).Use(next =>
                            connection =>
                            {
                                accepted.TrySetResult(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
                                return next(connection);
                            }
                        )
                )
        );
        var request = body is null
            ? $"GET {path} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n\r\n"
            : $"POST {path} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";
        using var peer = await RawReader.SendAsync(host, request);
        await peer.UntilAsync("dunlin.hello");
        // tcp(7): TCP_USER_TIMEOUT. Only its value is checked: losing the packets of a connection needs the rights of root.
        var value = new byte[sizeof(int)];
        (await accepted.Task).GetRawSocketOption((int)SocketOptionLevel.Tcp, 18, value);
        Assert.Equal(42_000, BitConverter.ToInt32(value));
    }

    [Fact]
    public async Task Unix_sockets_are_supported()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-unix-");
        var path = Path.Combine(folder.FullName, "s");
        try
        {
            await using var host = await EngineHost.StartAsync(listen: kestrel => kestrel.ListenUnixSocket(path));
            using var client = new HttpClient(
                new SocketsHttpHandler
                {
                    ConnectCallback = async (_, cancellationToken) =>
                    {
                        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                        return new NetworkStream(socket, ownsSocket: true);
                    },
                }
            );
            Assert.Equal("ready", await client.GetStringAsync("http://dunlin/healthz/ready"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<ConnectionEnd> Closed(EngineHost host)
    {
        var closed = new TaskCompletionSource<ConnectionEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Fanout.Closed.Subscribe(connection => closed.TrySetResult(connection.Completion.Result));
        return closed.Task;
    }

    /// <summary>Observes when Kestrel has finished a connection.</summary>
    internal sealed class KestrelSide(string scheme = "http")
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Listen(KestrelServerOptions kestrel) =>
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen =>
                {
                    ((IConnectionBuilder)listen).Use(next =>
                        async connection =>
                        {
                            await next(connection);
                            Ended.TrySetResult();
                        }
                    );
                    if (scheme == "https")
                        listen.UseHttps(TestCertificate.Create());
                }
            );
    }

    /// <summary>A reader that sends raw HTTP/1.1.</summary>
    internal sealed class RawReader : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly StringBuilder _text = new();
        private readonly byte[] _buffer = new byte[64 * 1024];

        public string Text => _text.ToString();

        public static async Task<RawReader> OpenAsync(EngineHost host, int? receiveBuffer = null)
        {
            var reader = await SendAsync(host, "GET /dunlin/v1/events?topic=t HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n\r\n", receiveBuffer);
            await reader.UntilAsync("dunlin.hello");
            return reader;
        }

        /// <summary>Sends one or more requests without reading.</summary>
        public static async Task<RawReader> SendAsync(EngineHost host, string request, int? receiveBuffer = null)
        {
            var reader = new RawReader();
            if (receiveBuffer is { } bytes)
                reader._socket.ReceiveBufferSize = bytes;
            await reader._socket.ConnectAsync(host.Address.Host, host.Address.Port);
            await reader.SendAsync(Encoding.ASCII.GetBytes(request));
            return reader;
        }

        public async Task SendAsync(byte[] bytes) => await _socket.SendAsync(bytes);

        public async Task UntilAsync(string text)
        {
            while (!Text.Contains(text, StringComparison.Ordinal))
            {
                if (!await ReadAsync())
                    throw new EndOfStreamException($"The stream ended before '{text}': {Text}");
            }
        }

        public async Task<string> ToEndAsync()
        {
            while (await ReadAsync())
            {
                // Keep the text that arrived.
            }
            return Text;
        }

        public void Close(bool reset)
        {
            if (reset)
                _socket.Close(timeout: 0);
            else
                _socket.Shutdown(SocketShutdown.Send);
        }

        public void Dispose() => _socket.Dispose();

        private async Task<bool> ReadAsync()
        {
            var received = await _socket.ReceiveAsync(_buffer).WaitAsync(Patience);
            _text.Append(Encoding.UTF8.GetString(_buffer, 0, received));
            return received > 0;
        }
    }
}
