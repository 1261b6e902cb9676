using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Bench.Micro;

/// <summary>
/// Measures the time from the request for a Yjs document until the whole response has arrived over loopback: medians of rounds, with the
/// CPU time of the process, which includes that of the client.
/// </summary>
internal static class DocumentCosts
{
    private const int Updates = 100_000;
    private const int Rounds = 15;
    private const string ContentType = "application/vnd.dunlin.yjs";

    private static readonly TopicName Topic = TopicName.Parse("notes/1");
    private static readonly Uri Address = new("/api/yjs/notes/1", UriKind.Relative);

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-micro-").FullName;
        try
        {
            await using var app = await StartAsync(folder);
            var server = app.Services.GetRequiredService<IServer>();
            using var http = new HttpClient { BaseAddress = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
            await FillAsync(app.Services.GetRequiredService<IStore>());
            var tail = await MeasureAsync(http, "100,000 updates, no snapshot");
            // The state of a text of 100,000 letters.
            using var snapshot = new ByteArrayContent(Update(Updates));
            var through = string.Create(CultureInfo.InvariantCulture, $"{Address}?through={tail}");
            using var stored = await http.PutAsync(new Uri(through, UriKind.Relative), snapshot);
            stored.EnsureSuccessStatusCode();
            await MeasureAsync(http, "a snapshot of 100,000 updates");
            await app.StopAsync();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<WebApplication> StartAsync(string folder)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication();
        builder.Services.AddDunlin().AddSqlite(Path.Combine(folder, "notes.db")).AddYjs().AddAccessPolicy<Everything>("notes");
        var app = builder.Build();
        var user = new ClaimsPrincipal(new ClaimsIdentity([new("sub", "ann"), new("name", "Ann")], "bench"));
        app.Use(
            (HttpContext http, RequestDelegate next) =>
            {
                http.User = user;
                return next(http);
            }
        );
        app.UseDunlinSecurity();
        app.MapYjs("/api/yjs");
        await app.StartAsync();
        return app;
    }

    private static async Task FillAsync(IStore store)
    {
        var entry = Entry(Update(1));
        await store.WriteAsync(
            async (unit, ct) => await unit.Streams.CreateAsync(Topic, new StreamSettings { ContentType = ContentType }, ct)
        );
        var thousand = new StreamAppend { Messages = [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(entry, 1_000)] };
        for (var i = 0; i < Updates; i += 1_000)
            await store.WriteAsync(async (unit, ct) => await unit.Streams.AppendAsync(Topic, thousand, ct));
    }

    /// <returns>The offset after which a reader continues.</returns>
    private static async Task<string> MeasureAsync(HttpClient http, string name)
    {
        var (times, costs, offset, bytes) = (new List<double>(), new List<double>(), "", 0);
        // The first round compiles.
        for (var round = 0; round <= Rounds; round++)
        {
            var cpu = Process.GetCurrentProcess().TotalProcessorTime;
            var watch = Stopwatch.StartNew();
            using var answer = await http.GetAsync(Address);
            bytes = (await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync()).Length;
            if (round > 0)
            {
                times.Add(watch.Elapsed.TotalMilliseconds);
                costs.Add((Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds);
            }
            offset = answer.Headers.GetValues("Dunlin-Offset").Single();
        }
        times.Sort();
        costs.Sort();
        var middle = Rounds / 2;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {bytes} bytes, median {times[middle]:0.0} ms ({times[0]:0.0} to {times[^1]:0.0}), CPU {costs[middle]:0.0} ms"
            )
        );
        return offset;
    }

    // The size of an update counts, its content does not: the server does not decode updates. One letter needs 20 bytes besides.
    private static byte[] Update(int letters)
    {
        var update = new byte[20 + letters];
        Array.Fill(update, (byte)1);
        return update;
    }

    private static byte[] Entry(byte[] update)
    {
        var entry = new byte[5 + update.Length];
        entry[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(entry.AsSpan(1), update.Length);
        update.CopyTo(entry, 5);
        return entry;
    }

    private sealed class Everything : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
