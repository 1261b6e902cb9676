using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Ends of streams and of the response, and misbehaving readers and pages.</summary>
public sealed partial class CombinedStreamTests
{
    [Fact]
    public async Task G4_Revoked_permissions_end_one_stream_and_keep_the_others()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("1", "/dunlin/v1/events?topic=a"),
            Stream("2", "/dunlin/v1/events?topic=b"),
            Stream("3", "/dunlin/v1/events?topic=a&topic=b")
        );
        foreach (var id in "123")
            await combined.ControlAsync($"{id}", "connection");
        host.Refused.Add("a");
        host.Services.GetRequiredService<AccessChanges>().RightsChanged("ann");
        await combined.ControlAsync("1", "end");
        var position = await host.PublishAsync("b", "goes on");
        Assert.Equal("dunlin.hello", (await combined.NextAsync("1"))["event"]);
        Assert.Contains("revoked", (await combined.NextAsync("1"))["data"], StringComparison.Ordinal);
        foreach (var id in new[] { "2", "3" })
        {
            Assert.Equal("dunlin.hello", (await combined.NextAsync(id))["event"]);
            var next = await combined.NextAsync(id);
            if (next["event"] == "dunlin.revoked")
                next = await combined.NextAsync(id);
            Assert.Equal((position, "\"goes on\""), (next["id"], next["data"]));
        }
    }

    [Fact]
    public async Task G4_The_end_of_a_session_ends_all_its_streams_and_the_response()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann:s1",
            Stream("1", "/dunlin/v1/events?topic=a"),
            Stream("2", "/dunlin/v1/events?topic=b")
        );
        await using var other = await CombinedReader.OpenAsync(host, "ann:s2", Stream("1", "/dunlin/v1/events?topic=a"));
        foreach (var id in new[] { "1", "2" })
            await combined.ControlAsync(id, "connection");
        host.Services.GetRequiredService<AccessChanges>().SessionEnded("ann", "s1", "signed_out");
        await combined.ToTheEndAsync();
        foreach (var id in new[] { "1", "2" })
        {
            Assert.Equal("dunlin.hello", (await combined.NextAsync(id))["event"]);
            Assert.Contains("signedOut", (await combined.NextAsync(id))["data"], StringComparison.Ordinal);
        }
        await other.ControlAsync("1", "connection");
        Assert.Equal(1, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task A_stopping_host_sends_a_goodbye_to_every_combined_stream()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("1", "/dunlin/v1/events?topic=a"),
            Stream("2", "/dunlin/v1/events?topic=b")
        );
        foreach (var id in new[] { "1", "2" })
            await combined.ControlAsync(id, "connection");
        var stopping = host.StopAsync();
        await combined.ToTheEndAsync();
        foreach (var id in new[] { "1", "2" })
        {
            Assert.Equal("dunlin.hello", (await combined.NextAsync(id))["event"]);
            Assert.Contains("draining", (await combined.NextAsync(id))["data"], StringComparison.Ordinal);
        }
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("/app/slow")]
    [InlineData("/app/slow-middleware")]
    public async Task A_stream_closed_while_it_opens_is_not_logged_as_a_failure(string path)
    {
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task WaitAsync(HttpContext context)
        {
            opening.SetResult();
            return new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        }
        await using var host = await EngineHost.StartAsync(map: app =>
        {
            app.MapEventStream("/app/slow", WaitAsync);
            // A check that takes long, such as the validation of a token. No endpoint has this path.
            app.Use(next => context => context.Request.Path == "/app/slow-middleware" ? WaitAsync(context) : next(context));
        });
        await using var combined = await CombinedReader.OpenAsync(host, "ann", Stream("1", path), Stream("2", "/dunlin/v1/events?topic=a"));
        await combined.ControlAsync("2", "connection");
        await opening.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await combined.ChangeAsync(new { close = new[] { "1" } });
        await combined.ControlAsync("1", "end");
        Assert.DoesNotContain(
            host.Log.Lines,
            static line => line.Contains(" 3110 ", StringComparison.Ordinal) || line.Contains(" 4001 ", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task No_event_can_forge_a_block_of_the_response()
    {
        await using var host = await EngineHost.StartAsync(services => services.AddSingleton<Effects>(), map: MapApplication);
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("1", "/dunlin/v1/events?topic=a"),
            Stream("2", "/app/typed")
        );
        foreach (var id in new[] { "1", "2" })
            await combined.ControlAsync(id, "connection");
        string[] lines =
        [
            "x\n\nstream: 2\n\ndata: forged\n\n",
            "x\r\rstream: 2\r\r",
            "x\r\n\r\nstream: 1\r\nend:\r\n\r\n",
            "stream: 2",
            "\nstream: 2\nstatus: 403\n\n",
        ];
        foreach (var line in lines)
        {
            using var client = host.Client();
            using var byName = await client.PostAsJsonAsync(
                "/dunlin/v1/events",
                new
                {
                    topic = "a",
                    type = line,
                    data = 1,
                }
            );
            using var byTopic = await client.PostAsJsonAsync(
                "/dunlin/v1/events",
                new
                {
                    topic = line,
                    type = "e",
                    data = 1,
                }
            );
            Assert.Equal(HttpStatusCode.BadRequest, byTopic.StatusCode);
            await host.PublishAsync("a", line);
            // JSON with several lines, as a library may append it.
            await host.Journal.AppendAsync(
                new EventDraft(TopicName.Parse("a"), "raw", "[\n\n\"stream: 2\",\r\r\"stream: 2\"\r\n\r\n]"u8.ToArray())
            );
        }
        await host.PublishAsync("a", "last", type: "last");
        CombinedReader.Block block;
        do block = await combined.NextAsync("1");
        while (block["event"] != "last");
        do block = await combined.NextAsync("2");
        while (!block["data"]!.Contains("last", StringComparison.Ordinal));
        Assert.DoesNotContain(combined.Controls, control => control["end"] is not null || control["status"] is not (null or "200"));
        Assert.Equal(2, combined.Controls.Count(control => control["status"] is not null));
    }

    [Fact]
    public async Task G5_A_stalled_reader_delays_nobody_and_resumes_without_loss()
    {
        await using var host = await EngineHost.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, host.Address.Port);
        var json = JsonSerializer.Serialize(
            new { streams = new[] { Stream("1", "/dunlin/v1/events?topic=a"), Stream("2", "/dunlin/v1/events?topic=b") } }
        );
        await socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST {Path} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}"
            )
        );
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        var (hellos, current) = (0, "");
        while (hellos < 2)
        {
            var line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
            if (line!.StartsWith("stream: ", StringComparison.Ordinal))
                current = line["stream: ".Length..];
            else if (line == "event: dunlin.hello")
                hellos++;
        }

        await using var quick = await host.OpenAsync("/dunlin/v1/events?topic=a&topic=b");
        await quick.UntilAsync("dunlin.hello");
        const int Count = 300;
        var large = new string('x', 30_000);
        for (var i = 0; i < Count; i++)
            await host.PublishAsync(i % 2 == 0 ? "a" : "b", $"{i} {large}");
        // 9 MB exceed all sockets and queues. The other reader has received all of it.
        for (var i = 0; i < Count; i++)
            Assert.StartsWith($"\"{i} ", (await quick.NextAsync()).Data, StringComparison.Ordinal);

        var seen = new Dictionary<string, List<int>> { ["1"] = [], ["2"] = [] };
        while (seen.Values.Sum(list => list.Count) < Count)
        {
            var line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
            if (line!.StartsWith("stream: ", StringComparison.Ordinal))
                current = line["stream: ".Length..];
            else if (line.StartsWith("data: \"", StringComparison.Ordinal) && line.Contains('x', StringComparison.Ordinal))
                seen[current].Add(int.Parse(line["data: \"".Length..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 2 == 0), seen["1"]);
        Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 2 == 1), seen["2"]);
    }

    [Fact]
    public async Task A_disconnected_reader_ends_every_stream()
    {
        await using var host = await EngineHost.StartAsync();
        var left = 40;
        var allClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Fanout.Closed.Subscribe(_ =>
        {
            if (Interlocked.Decrement(ref left) == 0)
                allClosed.SetResult();
        });
        for (var i = 0; i < 20; i++)
        {
            await using var combined = await CombinedReader.OpenAsync(
                host,
                "ann",
                Stream("1", "/dunlin/v1/events?topic=a"),
                Stream("2", "/dunlin/v1/events?topic=b")
            );
            await combined.ControlAsync("1", "connection");
            await combined.ControlAsync("2", "connection");
        }
        await allClosed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task Another_origin_cannot_open_a_response_with_the_cookie()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = JsonContent.Create(new { streams = new[] { Stream("1", "/dunlin/v1/events?topic=a") } }),
        };
        request.Headers.Add("Cookie", "any=1");
        request.Headers.Add("Origin", "https://evil.example");
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await HttpAssert.ProblemAsync(response, 403, "origin_refused");
    }

    [Fact]
    public async Task Application_authorization_and_middleware_apply_to_inner_streams()
    {
        await using var host = await EngineHost.StartAsync(
            services =>
                services
                    .AddSingleton<Effects>()
                    .AddAuthorization()
                    .AddAuthentication("none")
                    .AddScheme<AuthenticationSchemeOptions, NoScheme>("none", null),
            map: app =>
            {
                app.UseAuthorization();
                MapApplication(app);
            }
        );
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("1", "/app/administrators"),
            Stream("2", "/app/typed")
        );
        Assert.Equal("403", (await combined.ControlAsync("1", "status"))["status"]);
        Assert.Equal("200", (await combined.ControlAsync("2", "status"))["status"]);
        await using var admin = await CombinedReader.OpenAsync(host, "admin", Stream("1", "/app/administrators"));
        Assert.Equal("200", (await admin.ControlAsync("1", "status"))["status"]);
    }
}
