using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Spectre.Console;

namespace Dunlin.Bench.Load;

/// <summary>One run: signs in, opens the streams, warms up, measures, reports.</summary>
internal sealed class LoadRun(LoadOptions options)
{
    private static readonly TimeSpan OpeningLimit = TimeSpan.FromMinutes(2);

    private readonly Tally _tally = new();
    private readonly ServerProbe _probe = new(options.ProcessId);
    private readonly List<Sample> _samples = [];

    /// <returns>0 if every event reached every reader exactly once, 1 if not, 2 if the run could not start.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var http = NewClient(null);
        // A small receive window, so that the server soon blocks on a reader that stalls.
        using var narrow = NewClient(8 * 1024);
        try
        {
            await SignInAsync(http, cancellationToken);
            narrow.DefaultRequestHeaders.Authorization = http.DefaultRequestHeaders.Authorization;
        }
        catch (HttpRequestException error)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{options.Url} cannot be used:[/] {error.Message}");
            return 2;
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new List<Task>();
        var before = _probe.Read();
        var readOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stalled = new List<(string Topic, Reader Reader)>();
        Reader NewStalled(int i)
        {
            var reader = new Reader(narrow, options.TopicOf(i), _tally, readOn.Task);
            stalled.Add((options.TopicOf(i), reader));
            return reader;
        }
        if (
            !await OpenAsync("opening streams", options.Connections, i => new Reader(http, options.TopicOf(i), _tally), work, stop)
            || !await OpenAsync("opening streams that stall", options.Stalled, NewStalled, work, stop)
        )
        {
            return 2;
        }
        var opened = _probe.Read();
        using var stopPublishing = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var publishers = Enumerable
            .Range(0, options.Publishers)
            .Select(i => new Publisher(http, i, options.TopicOf(i), options, _tally))
            .ToList();
        var publishing = Task.WhenAll(publishers.Select(publisher => publisher.RunAsync(stopPublishing.Token)));
        var counted = await CountAsync(stop.Token);
        await stopPublishing.CancelAsync();
        await publishing;
        var stalledMemory = _probe.Read();
        var watch = Stopwatch.StartNew();
        readOn.SetResult();
        bool HasAll((string Topic, Reader Reader) one) =>
            publishers.All(p => p.Topic != one.Topic || one.Reader.LastOf(p.Index) >= p.Accepted - 1);
        while (!stalled.TrueForAll(HasAll) && watch.Elapsed < OpeningLimit)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        var recovered = stalled.Count(HasAll);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        Report(before, opened, counted);
        if (options.Stalled > 0)
        {
            AnsiConsole.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"stalled readers: {recovered} of {options.Stalled} had everything {watch.Elapsed.TotalSeconds:0.0} s after they read on; the server's memory before that {stalledMemory?.MiB:0.0} MiB"
                )
            );
        }
        if (options.Plot is { } plot)
            await File.WriteAllTextAsync(plot.FullName, Plot.Draw(options, _tally, _samples), CancellationToken.None);
        return _tally.Missed == 0 && _tally.Repeated == 0 && counted.Deliveries > 0 && recovered == options.Stalled ? 0 : 1;
    }

    private HttpClient NewClient(int? receiveBuffer) =>
        new(
            new SocketsHttpHandler
            {
                MaxConnectionsPerServer = int.MaxValue,
                ResponseDrainTimeout = TimeSpan.Zero,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    if (receiveBuffer is { } bytes)
                        socket.ReceiveBufferSize = bytes;
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri(options.Url.ToString().TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };

    private async Task SignInAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var token = options.Token;
        if (options.User is not null)
        {
            using var response = await http.PostAsJsonAsync(
                "api/v1/auth/login",
                new { username = options.User, password = options.Password },
                cancellationToken
            );
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException(answer.ToString());
            token = answer.GetProperty("accessToken").GetString();
        }
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    private Task<bool> OpenAsync(string what, int count, Func<int, Reader> make, List<Task> work, CancellationTokenSource stop) =>
        AnsiConsole
            .Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(what, maxValue: Math.Max(1, count));
                var limit = Stopwatch.StartNew();
                for (var i = 0; i < count; i++)
                {
                    var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    work.Add(make(i).RunAsync(() => opened.TrySetResult(), stop.Token));
                    // Open in groups, because the server's accept backlog is short.
                    if (i % 64 == 63 || i == count - 1)
                    {
                        while (
                            await Task.WhenAny(opened.Task, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop.Token))
                            != opened.Task
                        )
                        {
                            if (limit.Elapsed < OpeningLimit)
                                continue;
                            AnsiConsole.MarkupLineInterpolated(
                                $"[red]Only {_tally.Open} streams are open, {count} are wanted:[/] {_tally.Problem}"
                            );
                            return false;
                        }
                    }
                    bar.Value = i + 1;
                }
                return true;
            });

    private Task<Counted> CountAsync(CancellationToken cancellationToken) =>
        AnsiConsole
            .Live(new Table())
            .StartAsync(async live =>
            {
                await SampleAsync(live, "warming up", options.Warmup, null, cancellationToken);
                _tally.StartPhase();
                _samples.Clear();
                var (published, delivered, cpu, at) = (
                    _tally.Published,
                    _tally.Delivered,
                    _probe.Read()?.CpuSeconds,
                    Stopwatch.GetTimestamp()
                );
                await SampleAsync(live, "counting", options.Duration, _samples, cancellationToken);
                return new Counted(
                    Stopwatch.GetElapsedTime(at),
                    _tally.Published - published,
                    _tally.Delivered - delivered,
                    _probe.Read()?.CpuSeconds - cpu
                );
            });

    private async Task SampleAsync(
        LiveDisplayContext live,
        string phase,
        TimeSpan duration,
        List<Sample>? samples,
        CancellationToken cancellationToken
    )
    {
        var began = Stopwatch.GetTimestamp();
        var (lastAt, lastPublished, lastDelivered, lastCpu) = (began, _tally.Published, _tally.Delivered, _probe.Read()?.CpuSeconds);
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
            var elapsed = Stopwatch.GetElapsedTime(lastAt).TotalSeconds;
            var server = _probe.Read();
            var sample = new Sample(
                Stopwatch.GetElapsedTime(began).TotalSeconds,
                (_tally.Delivered - lastDelivered) / elapsed,
                (_tally.Published - lastPublished) / elapsed,
                server?.MiB,
                (server?.CpuSeconds - lastCpu) / elapsed
            );
            (lastAt, lastPublished, lastDelivered, lastCpu) = (
                Stopwatch.GetTimestamp(),
                _tally.Published,
                _tally.Delivered,
                server?.CpuSeconds
            );
            samples?.Add(sample);
            live.UpdateTarget(Show(phase, sample, duration));
        }
    }

    private Table Show(string phase, Sample now, TimeSpan duration)
    {
        var table = new Table()
            .Title(string.Create(CultureInfo.InvariantCulture, $"{phase}: {now.At:0} of {duration.TotalSeconds:0} s"))
            .AddColumns("", "");
        table.AddRow("streams open", Number(_tally.Open));
        table.AddRow("published", $"{Number(now.PublishesPerSecond)} /s, {Number(_tally.Refused)} refused");
        table.AddRow("delivered", $"{Number(now.DeliveriesPerSecond)} /s");
        table.AddRow("publish to delivery", Latency(_tally.Deliveries));
        table.AddRow("publish to answer", Latency(_tally.Answers));
        table.AddRow("missed, repeated, reconnects", $"{Number(_tally.Missed)}, {Number(_tally.Repeated)}, {Number(_tally.Reconnects)}");
        if (now.ServerMiB is { } memory)
            table.AddRow(
                "server",
                string.Create(CultureInfo.InvariantCulture, $"{memory:0.0} MiB, {100 * (now.ServerCpuShare ?? 0):0} % of one core")
            );
        if (_tally.Problem is { } problem)
            table.AddRow(new Text("last problem"), new Text(problem));
        return table;
    }

    private void Report((double MiB, double CpuSeconds)? before, (double MiB, double CpuSeconds)? opened, Counted counted)
    {
        var perConnection =
            opened is { } o && before is { } b && options.Connections > 0 ? (o.MiB - b.MiB) * 1024 / options.Connections : (double?)null;
        var perDelivery = counted.ServerCpuSeconds is { } cpu && counted.Deliveries > 0 ? cpu * 1e6 / counted.Deliveries : (double?)null;
        AnsiConsole.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{counted.Publishes / counted.Time.TotalSeconds:#,0} publishes/s, {counted.Deliveries / counted.Time.TotalSeconds:#,0} deliveries/s over {counted.Time.TotalSeconds:0.0} s"
            )
        );
        AnsiConsole.WriteLine("publish to delivery " + Latency(_tally.Deliveries));
        AnsiConsole.WriteLine("publish to answer   " + Latency(_tally.Answers));
        AnsiConsole.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"missed {_tally.Missed}, repeated {_tally.Repeated}, refused {_tally.Refused}, reconnects {_tally.Reconnects}"
            )
        );
        if (perDelivery is not null)
            AnsiConsole.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"server: {perDelivery:0.00} us of CPU per delivery, {perConnection:0.0} KiB per connection"
                )
            );
        if (options.Json is not { } file)
            return;
        File.WriteAllText(
            file.FullName,
            JsonSerializer.Serialize(
                new
                {
                    publishesPerSecond = counted.Publishes / counted.Time.TotalSeconds,
                    deliveriesPerSecond = counted.Deliveries / counted.Time.TotalSeconds,
                    p50Ms = _tally.Deliveries.Percentile(0.5) / 1000.0,
                    p99Ms = _tally.Deliveries.Percentile(0.99) / 1000.0,
                    answerP50Ms = _tally.Answers.Percentile(0.5) / 1000.0,
                    answerP99Ms = _tally.Answers.Percentile(0.99) / 1000.0,
                    _tally.Missed,
                    _tally.Repeated,
                    _tally.Refused,
                    _tally.Reconnects,
                    cpuMicrosecondsPerDelivery = perDelivery,
                    kibPerConnection = perConnection,
                    samples = _samples,
                },
                JsonSerializerOptions.Web
            )
        );
    }

    private static string Latency(Histogram histogram) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"p50 {histogram.Percentile(0.5) / 1000.0:0.00} ms, p90 {histogram.Percentile(0.9) / 1000.0:0.00}, p99 {histogram.Percentile(0.99) / 1000.0:0.00}, max {histogram.Max / 1000.0:0.00}"
        );

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private sealed record Counted(TimeSpan Time, long Publishes, long Deliveries, double? ServerCpuSeconds);
}
