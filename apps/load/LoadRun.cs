using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Apps.Load;

/// <summary>One run: signs in, opens the streams, warms up, measures. Not thread-safe.</summary>
/// <param name="options">The options.</param>
/// <param name="progress">Receives one line for each change, for a terminal.</param>
public sealed class LoadRun(LoadOptions options, Action<string> progress)
{
    private static readonly TimeSpan OpeningLimit = TimeSpan.FromMinutes(2);

    private readonly Tally _tally = new();
    private readonly ServerProbe _probe = new(options.ProcessId);
    private readonly List<Sample> _samples = [];

    /// <summary>Runs until the figures are complete.</summary>
    /// <param name="cancellationToken">Ends the run without a result.</param>
    /// <exception cref="LoadException">The server refused the sign-in, or not all streams could be opened.</exception>
    /// <exception cref="HttpRequestException">The server is unreachable.</exception>
    public async Task<LoadResult> RunAsync(CancellationToken cancellationToken)
    {
        using var http = NewClient(null);
        // A small receive window, so that the server soon blocks on a reader that stalls.
        using var narrow = NewClient(8 * 1024);
        await SignInAsync(http, cancellationToken);
        narrow.DefaultRequestHeaders.Authorization = http.DefaultRequestHeaders.Authorization;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new List<Task>();
        try
        {
            return await MeasureAsync(http, narrow, work, stop, cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(work);
        }
    }

    private async Task<LoadResult> MeasureAsync(
        HttpClient http,
        HttpClient narrow,
        List<Task> work,
        CancellationTokenSource stop,
        CancellationToken cancellationToken
    )
    {
        var before = _probe.Read();
        var readOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stalled = new List<(string Topic, Reader Reader)>();
        Reader NewStalled(int i)
        {
            var reader = new Reader(narrow, options.Run, options.TopicOf(i), _tally, readOn.Task);
            stalled.Add((options.TopicOf(i), reader));
            return reader;
        }
        await OpenAsync("streams", options.Connections, i => new Reader(http, options.Run, options.TopicOf(i), _tally), work, stop);
        await OpenAsync("streams that stall", options.Stalled, NewStalled, work, stop);
        var opened = _probe.Read();
        using var stopPublishing = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var publishers = Enumerable
            .Range(0, options.Publishers)
            .Select(i => new Publisher(http, i, options.TopicOf(i), options, _tally))
            .ToList();
        var publishing = Task.WhenAll(publishers.Select(publisher => publisher.RunAsync(stopPublishing.Token)));
        work.Add(publishing);
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
        return new LoadResult(
            counted.Time,
            counted.Publishes,
            counted.Deliveries,
            _tally,
            [.. _samples],
            counted.ServerCpuSeconds is { } cpu && counted.Deliveries > 0 ? cpu * 1e6 / counted.Deliveries : null,
            opened is { } o && before is { } b && options.Connections > 0 ? (o.MiB - b.MiB) * 1024 / options.Connections : null,
            options.Stalled == 0 ? null : new StalledResult(options.Stalled, stalled.Count(HasAll), watch.Elapsed, stalledMemory?.MiB)
        );
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
            using var body = new StringContent(
                $$"""{"username":{{Quote(options.User)}},"password":{{Quote(options.Password ?? "")}}}""",
                Encoding.UTF8,
                "application/json"
            );
            using var response = await http.PostAsync("api/v1/auth/login", body, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new LoadException($"The sign-in of '{options.User}' was refused: {text}");
            using var answer = JsonDocument.Parse(text);
            token = answer.RootElement.GetProperty("accessToken").GetString();
        }
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    private async Task OpenAsync(string what, int count, Func<int, Reader> make, List<Task> work, CancellationTokenSource stop)
    {
        var limit = Stopwatch.StartNew();
        var group = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            group.Add(opened.Task);
            work.Add(make(i).RunAsync(() => opened.TrySetResult(), stop.Token));
            // Open in groups, because the server's accept backlog is short.
            if (i % 64 != 63 && i != count - 1)
                continue;
            var all = Task.WhenAll(group);
            while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop.Token)) != all)
            {
                stop.Token.ThrowIfCancellationRequested();
                RequireNoRefusal(count, what);
                if (limit.Elapsed >= OpeningLimit)
                    throw new LoadException($"Only {_tally.Open} of {count} {what} could be opened: {_tally.Problem}");
            }
            group.Clear();
            progress(string.Create(CultureInfo.InvariantCulture, $"opened {i + 1:#,0} of {count:#,0} {what}"));
        }
    }

    private void RequireNoRefusal(int count, string what)
    {
        if (_tally.Refusal is { } refusal)
            throw new LoadException($"A stream of '{options.Topic}' was refused, {_tally.Open} of {count} {what} are open: {refusal}");
    }

    private async Task<Counted> CountAsync(CancellationToken cancellationToken)
    {
        await SampleAsync("warming up", options.Warmup, null, cancellationToken);
        _tally.StartPhase();
        var (published, delivered, cpu, at) = (_tally.Published, _tally.Delivered, _probe.Read()?.CpuSeconds, Stopwatch.GetTimestamp());
        await SampleAsync("counting", options.Duration, _samples, cancellationToken);
        return new Counted(
            Stopwatch.GetElapsedTime(at),
            _tally.Published - published,
            _tally.Delivered - delivered,
            _probe.Read()?.CpuSeconds - cpu
        );
    }

    private async Task SampleAsync(string phase, TimeSpan duration, List<Sample>? samples, CancellationToken cancellationToken)
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
            progress(Show(phase, sample, duration));
        }
    }

    private string Show(string phase, Sample now, TimeSpan duration)
    {
        var server = now.ServerMiB is { } memory
            ? string.Create(CultureInfo.InvariantCulture, $", server {memory:0} MiB {100 * (now.ServerCpuShare ?? 0):0} %")
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{phase} {now.At:0}/{duration.TotalSeconds:0} s: {now.PublishesPerSecond:#,0} publishes/s, {now.DeliveriesPerSecond:#,0} deliveries/s, {LoadReport.Latency(_tally.Deliveries)}, missed {_tally.Missed}{server}"
        );
    }

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private sealed record Counted(TimeSpan Time, long Publishes, long Deliveries, double? ServerCpuSeconds);
}
