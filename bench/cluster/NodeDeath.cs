using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Dunlin.TestKit.Servers;

namespace Dunlin.Bench.Cluster;

/// <summary>
/// Kills one of two nodes on one PostgreSQL while events are published. All readers are connected to it; they reconnect to the other node
/// after a random part of a second, as browser clients do, and resume. Reports when all are live again and whether events were lost.
/// </summary>
internal static class NodeDeath
{
    private const int EventsPerSecond = 20;
    private const string Mark = "number-";

    private static long s_published;
    private static int s_gaps;

    public static async Task<int> RunAsync(int count)
    {
        await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
        var (firstPort, secondPort) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        using var first = BenchNode.Start(firstPort, postgres.ConnectionString);
        using var second = BenchNode.Start(secondPort, postgres.ConnectionString);
        try
        {
            using var http = new HttpClient
            {
                BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{secondPort}")),
            };
            await BenchNode.WaitAsync(http);
            using var end = new CancellationTokenSource();
            var publishing = PublishAsync(http, end.Token);
            var readers = Enumerable.Range(0, count).Select(_ => new Reader()).ToList();
            foreach (var batch in readers.Chunk(100))
            {
                var live = Task.WhenAll(batch.Select(reader => reader.BeginAsync(firstPort, secondPort)));
                // Publishing ends early only because of an error.
                await await Task.WhenAny(live, publishing);
            }
            Console.WriteLine($"{count} readers are live at the first node");
            await WhenAllHaveAsync(readers, Volatile.Read(ref s_published));
            var began = Stopwatch.StartNew();
            first.Kill();
            // Live again: the reader has received an event that was published after the node's end.
            await WhenAllHaveAsync(readers, Volatile.Read(ref s_published) + 1);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"all live again {began.Elapsed.TotalSeconds:0.0} s after its end, {s_gaps} gaps, {readers.Sum(r => r.Attempts) - count} connections opened again"
                )
            );
            await end.CancelAsync();
            await publishing;
            readers.ForEach(reader => reader.Dispose());
            return s_gaps == 0 ? 0 : 1;
        }
        finally
        {
            second.Kill();
        }
    }

    private static async Task PublishAsync(HttpClient http, CancellationToken end)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EventsPerSecond));
        while (!end.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var number = s_published + 1;
            using var body = new StringContent(
                $$"""{"topic":"death","type":"m","data":"{{Mark}}{{number}}-{{new string('x', 180)}}"}""",
                Encoding.UTF8,
                "application/json"
            );
            using var answer = await http.PostAsync("/dunlin/v1/events", body, CancellationToken.None);
            answer.EnsureSuccessStatusCode();
            Volatile.Write(ref s_published, number);
        }
    }

    private static async Task WhenAllHaveAsync(List<Reader> readers, long number)
    {
        while (readers.Exists(reader => reader.Last < number))
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }

    private sealed class Reader : IDisposable
    {
        private readonly byte[] _buffer = new byte[4_096];
        private readonly TaskCompletionSource _live = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _end = new();
        private string _rest = "";
        private string? _position;
        private long _last;

        public long Last => Volatile.Read(ref _last);

        public int Attempts { get; private set; }

        public Task BeginAsync(params int[] ports)
        {
            _ = RunAsync(ports);
            return _live.Task;
        }

        public void Dispose() => _end.Cancel();

        private async Task RunAsync(int[] ports)
        {
            for (var attempt = 0; !_end.IsCancellationRequested; attempt++)
            {
                try
                {
                    Attempts++;
                    await ReadAsync(ports[Math.Min(attempt, ports.Length - 1)]);
                }
                catch (Exception error) when (error is SocketException or OperationCanceledException)
                {
                    // The node or the run ended.
                }
                if (!_end.IsCancellationRequested)
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1_000)), TimeProvider.System);
            }
        }

        private async Task ReadAsync(int port)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", port, _end.Token);
            var resume = _position is null ? "" : $"Last-Event-ID: {_position}\r\n";
            await socket.SendAsync(
                Encoding.ASCII.GetBytes($"GET /dunlin/v1/events?topic=death HTTP/1.1\r\nHost: x\r\n{resume}\r\n"),
                _end.Token
            );
            _rest = "";
            for (int length; (length = await socket.ReceiveAsync(_buffer, _end.Token)) > 0; )
            {
                var lines = (_rest + Encoding.ASCII.GetString(_buffer, 0, length)).Split('\n');
                foreach (var line in lines[..^1])
                    Take(line);
                _rest = lines[^1];
            }
        }

        private void Take(string line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                _position = line[4..];
                return;
            }
            var at = line.IndexOf(Mark, StringComparison.Ordinal);
            if (at < 0)
                return;
            var number = long.Parse(
                line.AsSpan(at + Mark.Length, line.AsSpan(at + Mark.Length).IndexOf('-')),
                CultureInfo.InvariantCulture
            );
            if (_last != 0 && number != _last + 1)
                Interlocked.Increment(ref s_gaps);
            Volatile.Write(ref _last, number);
            _live.TrySetResult();
        }
    }
}
