using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>Kills the real program while back ends publish.</summary>
[Trait("Store", "own")]
public sealed class KillTests
{
    private const int Publishers = 4;
    private const int EventsEach = 250;

    [Fact]
    public async Task G1_G2_Reader_has_every_acknowledged_event_once_in_order_after_kill_9()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await server.StartAsync();
        var token = Mint.User("reader", ("subscribe", "load/*"));
        var acknowledged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var third = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = new List<(string Id, string Data)>();
        string? position;
        Task[] publishing;
        await using (var reader = await Calls.OpenAsync(server.Address, token, "topic=load/1"))
        {
            await reader.UntilAsync("dunlin.hello");
            publishing =
            [
                .. Enumerable.Range(1, Publishers).Select(p => Task.Run(() => PublishAsync(server.Address, p, acknowledged, third))),
            ];
            await third.Task.WaitAsync(TimeSpan.FromSeconds(120));
            await server.KillAsync();
            await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
            position = await TakeAsync(reader, seen);
        }
        await server.StartAsync();
        await Task.WhenAll(publishing).WaitAsync(TimeSpan.FromSeconds(180));
        Assert.Equal(Publishers * EventsEach, acknowledged.Count);

        var last = acknowledged.Values.MaxBy(Offset)!;
        await using (var again = await Calls.OpenAsync(server.Address, token, "topic=load/1", position))
        {
            for (var item = await again.NextAsync(); ; item = await again.NextAsync())
            {
                Assert.NotEqual("dunlin.reset", item.EventType);
                if (item.EventType != "e")
                    continue;
                seen.Add((item.EventId!, item.Data));
                if (item.EventId == last)
                    break;
            }
        }
        var offsets = seen.Select(e => Offset(e.Id)).ToList();
        Assert.Equal(offsets.Order().Distinct(), offsets);
        // Exactly once, although interrupted requests were repeated, because of their idempotency keys.
        Assert.Equal(acknowledged.Count, seen.Count);
        var byData = seen.ToDictionary(e => e.Data, e => e.Id, StringComparer.Ordinal);
        Assert.All(acknowledged, pair => Assert.Equal(pair.Value, byData[pair.Key]));
    }

    /// <summary>The host alone decides when the process ends: a timer of the command line once cut the draining.</summary>
    [Fact]
    public async Task Sigterm_ends_streams_with_goodbye_and_the_process_with_0()
    {
        await using var place = new ServerProgram();
        place.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        var (file, arguments) = ServerProgram.Invocation;
        await using var server = place.StartOther(file, [.. arguments, "--port", "0", "--data", place.Data]);
        var address = (await server.WhenSeenAsync(new Regex(@"Dunlin is at (?<address>\S+)"))).Groups["address"].Value;
        var token = Mint.User("reader", ("subscribe", "load/*"));
        await using var reader = await Calls.OpenAsync(new Uri(address), token, "topic=load/1");
        await reader.UntilAsync("dunlin.hello");
        await server.SignalAsync("TERM");
        await reader.UntilAsync("dunlin.goodbye");
        Assert.Equal(0, await server.WhenExitedAsync().WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task Revocations_and_the_signing_key_survive_kill_9()
    {
        await using var server = new ServerProgram();
        await server.StartAsync();
        var file = Path.Combine(server.Data, "signing.key");
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(server.Data));
        }
        async Task<string> TokenAsync(string subject) =>
            (await server.RunCommandAsync("token", "--data", server.Data, "--subject", subject, "--role", "admin")).Output.Trim();

        var (ann, bob) = (await TokenAsync("ann"), await TokenAsync("bob"));
        Assert.Equal(
            200,
            (await Calls.SendAsync(server.Address, bob, HttpMethod.Post, "/dunlin/v1/revocations", new { userId = "ann" })).Status
        );
        await server.KillAsync();
        await server.StartAsync();
        Assert.Equal(401, (await Calls.TryOpenAsync(server.Address, ann, "topic=users/ann")).Status);
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, bob, "topic=users/bob")).Status);
    }

    private static long Offset(string id) => long.Parse(id.Split('-')[1], CultureInfo.InvariantCulture);

    private static async Task<string?> TakeAsync(EventStreamReader<SseItem<string>> reader, List<(string Id, string Data)> seen)
    {
        while (reader.Waiting > 0)
        {
            var item = await reader.NextAsync();
            if (item.EventType == "e")
                seen.Add((item.EventId!, item.Data));
        }
        return reader.LastId;
    }

    /// <summary>A request without an answer has an unknown outcome: it is repeated with its key until it is answered.</summary>
    private static async Task PublishAsync(
        Uri address,
        int publisher,
        ConcurrentDictionary<string, string> acknowledged,
        TaskCompletionSource third
    )
    {
        using var client = Calls.Client(address, Mint.Backend());
        for (var i = 0; i < EventsEach; i++)
        {
            var data = $"\"{publisher}:{i}\"";
            while (!acknowledged.ContainsKey(data))
            {
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/events")
                    {
                        Content = JsonContent.Create(
                            new
                            {
                                topic = "load/1",
                                type = "e",
                                data = $"{publisher}:{i}",
                            }
                        ),
                    };
                    request.Headers.Add("Idempotency-Key", $"{publisher}:{i}");
                    using var response = await client.SendAsync(request);
                    if (response.IsSuccessStatusCode)
                        acknowledged[data] = (await response.Content.ReadFromJsonAsync<JsonElement>())
                            .GetProperty("positions")[0]
                            .GetString()!;
                }
                catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
                {
                    await Task.Yield();
                }
            }
            if (acknowledged.Count >= Publishers * EventsEach / 3)
                third.TrySetResult();
        }
    }
}
