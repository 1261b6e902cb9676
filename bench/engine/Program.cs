// Measures the engine without HTTP, on a real SQLite file with synchronous=FULL.
//   dotnet run -c Release --project bench/engine [-- FOLDER]            FOLDER selects the disk
//   dotnet run -c Release --project bench/engine -- resume [FOLDER]     only the resume, after 2,000 rounds of warm-up
#pragma warning disable MA0047 // one file, top-level statements
using System.Diagnostics;
using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

const int rounds = 5;
var folder = Directory
    .CreateDirectory(
        Path.Combine(args.FirstOrDefault(arg => arg != "resume") ?? Path.GetTempPath(), "dunlin-bench-" + Environment.ProcessId)
    )
    .FullName;
var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Logging.ClearProviders();
builder.Services.AddDunlinCore().AddSqlite(Path.Combine(folder, "bench.db"));
var host = builder.Build();
await host.StartAsync();
var journal = host.Services.GetRequiredService<IJournal>();
var leases = host.Services.GetRequiredService<LeaseService>();
var fanout = host.Services.GetRequiredService<EventFanout>();
var data = new byte[200];
Array.Fill(data, (byte)'x');
(data[0], data[^1]) = ((byte)'"', (byte)'"');

if (args.Contains("resume"))
{
    await ResumeAsync(warmUp: 2_000, rounds: 2_000);
    await StopAsync();
    return;
}
await SyncAsync();
await MeasureAsync("durable appends, 1 writer", "events/s", 1, 3_000, async (w, i) => await journal.AppendAsync(Draft(w)));
await MeasureAsync("durable appends, 64 writers", "events/s", 64, 1_500, async (w, i) => await journal.AppendAsync(Draft(w)));
await MeasureAsync("lease cycles (acquire + release), 1 holder", "cycles/s", 1, 1_000, Cycle);
await MeasureAsync("lease cycles (acquire + release), 64 holders", "cycles/s", 64, 400, Cycle);
await ResumeAsync(warmUp: 10, rounds: 40);
await StopAsync();

async Task StopAsync()
{
    await host.StopAsync();
    await ((IAsyncDisposable)host).DisposeAsync();
    Directory.Delete(folder, recursive: true);
}

EventDraft Draft(int writer) => new(TopicName.Parse("bench/" + (writer % 16).ToString(CultureInfo.InvariantCulture)), "bench.event", data);

async Task Cycle(int worker, int i)
{
    var resource = ResourceName.Parse("bench/" + worker.ToString(CultureInfo.InvariantCulture));
    var id = "lease-of-worker-" + worker.ToString(CultureInfo.InvariantCulture);
    await leases.AcquireAsync(new LeaseRequest(resource, id, new LeaseOwner("u", "U"), LeaseDuration.FromSeconds(30)));
    await leases.ReleaseAsync(new LeaseClaim(resource, id, "u"));
}

static async Task MeasureAsync(string name, string unit, int workers, int each, Func<int, int, Task> work)
{
    var rates = new List<double>();
    for (var round = 0; round <= rounds; round++)
    {
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, workers)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < each; i++)
                            await work(w, i);
                    })
                )
        );
        if (round > 0) // round 0 is the warm-up
            rates.Add(workers * each / watch.Elapsed.TotalSeconds);
    }
    Print(name, rates, unit);
}

// Measures one sync of this disk, the lower bound for the append of a single writer.
async Task SyncAsync()
{
    var times = new List<double>();
    await using var file = new FileStream(
        Path.Combine(folder, "sync"),
        FileMode.Create,
        FileAccess.Write,
        FileShare.None,
        1,
        FileOptions.None
    );
    for (var i = 0; i < 500; i++)
    {
        file.Write(new byte[4_096]);
        var watch = Stopwatch.StartNew();
        file.Flush(flushToDisk: true);
        times.Add(watch.Elapsed.TotalMicroseconds);
    }
    Print("one fsync of 4 KiB on this disk", times, "us");
}

// Measures 1,000 missed events: read from the file, because the in-memory tail does not hold them, and framed.
async Task ResumeAsync(int warmUp, int rounds)
{
    var topic = TopicName.Parse("resume");
    var start = journal.Head.Offset;
    await journal.AppendAsync([.. Enumerable.Range(0, 1_000).Select(_ => new EventDraft(topic, "bench.event", data))], null, default);
    for (var i = 0; i < 10; i++)
        await journal.AppendAsync([.. Enumerable.Range(0, 1_000).Select(_ => Draft(i))], null, default);
    var times = new List<double>();
    var allocated = 0L;
    for (var i = 0; i < warmUp + rounds; i++)
    {
        if (i == warmUp)
            allocated = GC.GetTotalAllocatedBytes();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var after = start;
        JournalPage page;
        do
        {
            page = await journal.ReadAsync(new JournalQuery(after, [topic]), default);
            foreach (var entry in page.Events)
                FrameWriter.Encode(entry.Position, frame => WireFormats.Named.Write(entry, frame));
            after = page.Through;
        } while (page.HasMore);
        times.Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds);
    }
    allocated = GC.GetTotalAllocatedBytes() - allocated;
    Print("resume of 1,000 missed events from the file, CPU", times[warmUp..], "ms");
    Print("bytes allocated for each", [allocated / (double)rounds / 1_000], "bytes an event");
    GC.KeepAlive(fanout);
}

static void Print(string name, List<double> values, string unit)
{
    values.Sort();
    Console.WriteLine(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{name, -52} {values[values.Count / 2], 12:N2} {unit}   (min {values[0]:N2}, max {values[^1]:N2})"
        )
    );
}
