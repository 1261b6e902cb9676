using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Dunlin.TestKit.Servers;

namespace Dunlin.Bench.Cluster;

/// <summary>
/// Opens more streams than one process may have file descriptors: three nodes on one PostgreSQL and three reader processes. Measures the
/// memory per stream and checks that every event reaches every reader exactly once.
/// </summary>
internal static class ManyReaders
{
    private const int Nodes = 3;
    private const int Events = 10;
    private const string Mark = "number-";

    public static async Task<int> RunAsync(int count)
    {
        await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
        var ports = Enumerable.Range(0, Nodes).Select(_ => ServerProcess.FreePort()).ToArray();
        var nodes = ports.Select(port => BenchNode.Start(port, postgres.ConnectionString)).ToArray();
        var holders = new List<Process>();
        try
        {
            using var http = BenchNode.Client(ports[0]);
            foreach (var port in ports)
            {
                using var client = BenchNode.Client(port);
                await BenchNode.WaitAsync(client);
            }
            var before = nodes.Sum(Memory);
            var began = Stopwatch.StartNew();
            foreach (var port in ports)
                holders.Add(Hold(port, count / Nodes));
            await WhenAllSayAsync(holders, "open");
            Say($"{count / Nodes * Nodes} streams opened in {began.Elapsed.TotalSeconds:0.0} s");
            await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
            Say($"{(nodes.Sum(Memory) - before) / 1024.0 / (count / Nodes * Nodes):0.0} KiB of a node for each");
            for (var number = 1; number <= Events; number++)
            {
                began.Restart();
                using var body = new StringContent(
                    $$"""{"topic":"many","type":"m","data":"{{Mark}}{{number}}-"}""",
                    Encoding.UTF8,
                    "application/json"
                );
                using var answer = await http.PostAsync("/dunlin/v1/events", body);
                answer.EnsureSuccessStatusCode();
                await WhenAllSayAsync(holders, $"{number}");
                Say($"event {number} has reached every reader after {began.ElapsedMilliseconds} ms");
            }
            return 0;
        }
        finally
        {
            foreach (var process in holders.Concat(nodes))
            {
                process.Kill();
                process.Dispose();
            }
        }
    }

    /// <summary>Runs a process that holds readers. It reports when all are open, and for each event when all have received it.</summary>
    public static async Task<int> HoldAsync(int port, int count)
    {
        var left = new int[Events + 1];
        Array.Fill(left, count);
        var readings = new List<Task>();
        for (var opened = 0; opened < count; opened++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", port);
            await socket.SendAsync("GET /dunlin/v1/events?topic=many HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            var live = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            readings.Add(ReadAsync(socket, live, left));
            await await Task.WhenAny(live.Task, readings[^1]);
        }
        Console.WriteLine("open");
        // A reader ends early only because of an error, which ends the run.
        await await Task.WhenAny(readings);
        return 0;
    }

    private static async Task ReadAsync(Socket socket, TaskCompletionSource live, int[] left)
    {
        var buffer = new byte[512];
        var last = 0;
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer);
            if (length == 0)
                throw new EndOfStreamException("A stream has ended.");
            var text = Encoding.ASCII.GetString(buffer, 0, length);
            if (text.Contains("dunlin.hello", StringComparison.Ordinal))
                live.TrySetResult();
            // Events are small and sent one at a time, so each arrives in one read.
            for (var at = text.IndexOf(Mark, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Mark, at + 1, StringComparison.Ordinal))
            {
                var number = int.Parse(
                    text.AsSpan(at + Mark.Length, text.IndexOf('-', at + Mark.Length) - at - Mark.Length),
                    CultureInfo.InvariantCulture
                );
                if (number != ++last)
                    throw new InvalidDataException($"Event {number} came in place of {last}.");
                if (Interlocked.Decrement(ref left[number]) == 0)
                    Say($"{number}");
            }
        }
    }

    private static Process Hold(int port, int count) =>
        Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [
                    typeof(ManyReaders).Assembly.Location,
                    "hold",
                    port.ToString(CultureInfo.InvariantCulture),
                    count.ToString(CultureInfo.InvariantCulture),
                ]
            )
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;

    private static async Task WhenAllSayAsync(List<Process> holders, string word)
    {
        foreach (var holder in holders)
        {
            if (await holder.StandardOutput.ReadLineAsync() is not { } line || line != word)
                throw new InvalidDataException($"A process of readers did not say '{word}'.");
        }
    }

    private static long Memory(Process process)
    {
        process.Refresh();
        return process.WorkingSet64;
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
