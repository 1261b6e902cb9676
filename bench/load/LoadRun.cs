using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Spectre.Console;

namespace Dunlin.Bench.Load;

/// <summary>One run: sign in, open the streams, warm up, count, report.</summary>
internal sealed class LoadRun(LoadOptions options)
{
    private static readonly TimeSpan OpeningLimit = TimeSpan.FromMinutes(2);

    private readonly Tally _tally = new();
    private readonly ServerProbe _probe = new(options.ProcessId);
    private readonly List<Sample> _samples = [];

    /// <returns>0 where every event reached every reader once; 1 otherwise; 2 where the run could not begin.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = new Uri(options.Url.ToString().TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        try
        {
            await SignInAsync(http, cancellationToken);
        }
        catch (HttpRequestException error)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{options.Url} cannot be used:[/] {error.Message}");
            return 2;
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new List<Task>();
        var before = _probe.Read();
        if (!await OpenAsync(http, work, stop))
            return 2;
        var opened = _probe.Read();
        work.AddRange(Enumerable.Range(0, options.Publishers).Select(i => new Publisher(http, i, options.TopicOf(i), options, _tally).RunAsync(stop.Token)));
        var counted = await CountAsync(stop.Token);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        Report(before, opened, counted);
        if (options.Plot is { } plot)
            await File.WriteAllTextAsync(plot.FullName, Plot.Draw(options, _tally, _samples), CancellationToken.None);
        return _tally.Missed == 0 && _tally.Repeated == 0 && counted.Deliveries > 0 ? 0 : 1;
    }

    private async Task SignInAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var token = options.Token;
        if (options.User is not null)
        {
            using var response = await http.PostAsJsonAsync("api/auth/login", new { username = options.User, password = options.Password }, cancellationToken);
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException(answer.ToString());
            token = answer.GetProperty("accessToken").GetString();
        }
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    private Task<bool> OpenAsync(HttpClient http, List<Task> work, CancellationTokenSource stop) =>
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn()).StartAsync(async progress =>
        {
            var bar = progress.AddTask("opening streams", maxValue: Math.Max(1, options.Connections));
            var limit = Stopwatch.StartNew();
            for (var i = 0; i < options.Connections; i++)
            {
                var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                work.Add(new Reader(http, options.TopicOf(i), _tally).RunAsync(() => opened.TrySetResult(), stop.Token));
                // Some at a time: a server's queue of unaccepted connections is short.
                if (i % 64 == 63 || i == options.Connections - 1)
                {
                    while (await Task.WhenAny(opened.Task, Task.Delay(TimeSpan.FromSeconds(1), stop.Token)) != opened.Task)
                    {
                        if (limit.Elapsed < OpeningLimit)
                            continue;
                        AnsiConsole.MarkupLineInterpolated($"[red]Only {_tally.Open} of {options.Connections} streams are open:[/] {_tally.Problem}");
                        return false;
                    }
                }
                bar.Value = i + 1;
            }
            return true;
        });

    private Task<Counted> CountAsync(CancellationToken cancellationToken) =>
        AnsiConsole.Live(new Table()).StartAsync(async live =>
        {
            await SampleAsync(live, "warming up", options.Warmup, null, cancellationToken);
            _tally.StartPhase();
            _samples.Clear();
            var (published, delivered, cpu, at) = (_tally.Published, _tally.Delivered, _probe.Read()?.CpuSeconds, Stopwatch.GetTimestamp());
            await SampleAsync(live, "counting", options.Duration, _samples, cancellationToken);
            return new Counted(Stopwatch.GetElapsedTime(at), _tally.Published - published, _tally.Delivered - delivered, _probe.Read()?.CpuSeconds - cpu);
        });

    private async Task SampleAsync(LiveDisplayContext live, string phase, TimeSpan duration, List<Sample>? samples, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var (lastAt, lastPublished, lastDelivered, lastCpu) = (began, _tally.Published, _tally.Delivered, _probe.Read()?.CpuSeconds);
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            var elapsed = Stopwatch.GetElapsedTime(lastAt).TotalSeconds;
            var server = _probe.Read();
            var sample = new Sample(
                Stopwatch.GetElapsedTime(began).TotalSeconds, (_tally.Delivered - lastDelivered) / elapsed, (_tally.Published - lastPublished) / elapsed,
                server?.MiB, (server?.CpuSeconds - lastCpu) / elapsed);
            (lastAt, lastPublished, lastDelivered, lastCpu) = (Stopwatch.GetTimestamp(), _tally.Published, _tally.Delivered, server?.CpuSeconds);
            samples?.Add(sample);
            live.UpdateTarget(Show(phase, sample, duration));
        }
    }

    private Table Show(string phase, Sample now, TimeSpan duration)
    {
        var table = new Table().Title(string.Create(CultureInfo.InvariantCulture, $"{phase}: {now.At:0} of {duration.TotalSeconds:0} s")).AddColumns("", "");
        table.AddRow("streams open", Number(_tally.Open));
        table.AddRow("published", $"{Number(now.PublishesPerSecond)} /s, {Number(_tally.Refused)} refused");
        table.AddRow("delivered", $"{Number(now.DeliveriesPerSecond)} /s");
        table.AddRow("publish to delivery", Latency(_tally.Deliveries));
        table.AddRow("publish to answer", Latency(_tally.Answers));
        table.AddRow("missed, repeated, reconnects", $"{Number(_tally.Missed)}, {Number(_tally.Repeated)}, {Number(_tally.Reconnects)}");
        if (now.ServerMiB is { } memory)
            table.AddRow("server", string.Create(CultureInfo.InvariantCulture, $"{memory:0.0} MiB, {100 * (now.ServerCpuShare ?? 0):0} % of one core"));
        if (_tally.Problem is { } problem)
            table.AddRow(new Text("last problem"), new Text(problem));
        return table;
    }

    private void Report((double MiB, double CpuSeconds)? before, (double MiB, double CpuSeconds)? opened, Counted counted)
    {
        var perConnection = opened is { } o && before is { } b && options.Connections > 0 ? (o.MiB - b.MiB) * 1024 / options.Connections : (double?)null;
        var perDelivery = counted.ServerCpuSeconds is { } cpu && counted.Deliveries > 0 ? cpu * 1e6 / counted.Deliveries : (double?)null;
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{counted.Publishes / counted.Time.TotalSeconds:#,0} publishes/s, {counted.Deliveries / counted.Time.TotalSeconds:#,0} deliveries/s over {counted.Time.TotalSeconds:0.0} s"));
        AnsiConsole.WriteLine("publish to delivery " + Latency(_tally.Deliveries));
        AnsiConsole.WriteLine("publish to answer   " + Latency(_tally.Answers));
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"missed {_tally.Missed}, repeated {_tally.Repeated}, refused {_tally.Refused}, reconnects {_tally.Reconnects}"));
        if (perDelivery is not null)
            AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"server: {perDelivery:0.00} us of CPU per delivery, {perConnection:0.0} KiB per connection"));
        if (options.Json is not { } file)
            return;
        File.WriteAllText(file.FullName, JsonSerializer.Serialize(
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
            JsonSerializerOptions.Web));
    }

    private static string Latency(Histogram histogram) => string.Create(CultureInfo.InvariantCulture,
        $"p50 {histogram.Percentile(0.5) / 1000.0:0.00} ms, p90 {histogram.Percentile(0.9) / 1000.0:0.00}, p99 {histogram.Percentile(0.99) / 1000.0:0.00}, max {histogram.Max / 1000.0:0.00}");

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private sealed record Counted(TimeSpan Time, long Publishes, long Deliveries, double? ServerCpuSeconds);
}
