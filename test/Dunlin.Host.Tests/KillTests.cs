using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text.Json;

namespace Dunlin.Host.Tests;

/// <summary>The guarantees after a crash, with the shipped host: real processes, real kill.</summary>
public sealed class KillTests
{
    private const int Publishers = 8;
    private const int Total = 10_000;

    [Fact]
    public async Task G1_G2_Every_reader_has_each_acknowledged_event_once_after_kill_9()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = await host.SignInAsync("alice");
        using var stop = new CancellationTokenSource();
        Reader[] readers = [new(client), new(client), new(client)];
        var slow = readers[2];
        var reading = readers.Select(r => Task.Run(() => r.RunAsync(stop.Token))).ToArray();
        await Task.WhenAll(readers.Select(r => r.Connected)).WaitAsync(TimeSpan.FromSeconds(60));
        slow.Pause();

        var acknowledged = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var third = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var publishing = Enumerable
            .Range(1, Publishers)
            .Select(p => Task.Run(() => PublishAsync(client, p, acknowledged, third)))
            .ToArray();
        await third.Task.WaitAsync(TimeSpan.FromSeconds(120));
        await host.KillAsync();
        await host.StartAsync();
        await Task.WhenAll(publishing).WaitAsync(TimeSpan.FromSeconds(180));
        slow.Resume();

        Assert.Equal(Total, acknowledged.Count);
        var last = acknowledged.Values.Max();
        foreach (var reader in readers)
        {
            await reader.WhenReachedAsync(last).WaitAsync(TimeSpan.FromSeconds(120));
            var seen = reader.Seen;
            Assert.Equal(seen.Select(s => s.Offset).Order().Distinct(), seen.Select(s => s.Offset));
            Assert.Empty(reader.Resets);
            var marks = seen.Where(s => s.Mark is not null)
                .GroupBy(s => s.Mark!, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
            Assert.Empty(acknowledged.Keys.Except(marks.Keys, StringComparer.Ordinal));
            Assert.All(acknowledged, a => Assert.Contains(marks[a.Key], m => m.Offset == a.Value));
        }
        await stop.CancelAsync();
        await Task.WhenAll(reading);
    }

    /// <summary>
    /// Edits one case repeatedly. A request without an answer has an unknown outcome and is repeated. A mark counts as acknowledged with
    /// the version of its answer.
    /// </summary>
    private static async Task PublishAsync(
        HttpClient client,
        int publisher,
        ConcurrentDictionary<string, long> acknowledged,
        TaskCompletionSource third
    )
    {
        for (var i = 0; i < Total / Publishers; i++)
        {
            var mark = $"{publisher}:{i}";
            while (!acknowledged.ContainsKey(mark))
            {
                try
                {
                    using var response = await client.PatchAsJsonAsync(
                        $"/api/warranty/cases/{publisher}",
                        new { updates = new { remarks = mark } }
                    );
                    if (!response.IsSuccessStatusCode)
                        continue;
                    acknowledged[mark] = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version").GetInt64();
                }
                catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
                {
                    await Task.Yield();
                }
            }
            if (acknowledged.Count >= Total / 3)
                third.TrySetResult();
        }
    }

    /// <summary>A reader that reconnects after every interruption with its last position.</summary>
    private sealed class Reader(HttpClient client)
    {
        private readonly Lock _gate = new(); // guards _seen, _reached and _paused
        private readonly List<(long Offset, string? Mark)> _seen = [];
        private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource? _paused;
        private (long Offset, TaskCompletionSource Reached)? _goal;
        private string? _position;

        public Task Connected => _connected.Task;

        public ConcurrentQueue<string> Resets { get; } = [];

        public IReadOnlyList<(long Offset, string? Mark)> Seen
        {
            get
            {
                lock (_gate)
                    return [.. _seen];
            }
        }

        public void Pause()
        {
            lock (_gate)
                _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void Resume()
        {
            lock (_gate)
            {
                _paused?.TrySetResult();
                _paused = null;
            }
        }

        public Task WhenReachedAsync(long offset)
        {
            lock (_gate)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _goal = (offset, reached);
                if (_seen.Count > 0 && _seen[^1].Offset >= offset)
                    reached.TrySetResult();
                return reached.Task;
            }
        }

        public async Task RunAsync(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await ReadAsync(stop);
                }
                catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException)
                {
                    await Task.Yield();
                }
            }
        }

        private async Task ReadAsync(CancellationToken stop)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/sse/warranty-updates?branchId=1");
            if (_position is not null)
                request.Headers.Add("Last-Event-ID", _position);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (!response.IsSuccessStatusCode)
                return;
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(stop)).EnumerateAsync(stop))
            {
                Task paused;
                lock (_gate)
                    paused = _paused?.Task ?? Task.CompletedTask;
                await paused.WaitAsync(stop);
                Take(item);
            }
        }

        private void Take(SseItem<string> item)
        {
            if (item.EventType == "dunlin.reset")
                Resets.Enqueue(item.Data);
            if (item.EventType != "message")
                return;
            var json = JsonDocument.Parse(item.Data).RootElement;
            var type = json.GetProperty("type").GetString();
            if (type == "connection-established")
                _connected.TrySetResult();
            if (item.EventId is null)
                return;
            var isNew = !string.Equals(item.EventId, _position, StringComparison.Ordinal);
            _position = item.EventId;
            if (type is not "case-updated" || !isNew)
                return;
            lock (_gate)
            {
                var offset = long.Parse(item.EventId.Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);
                _seen.Add((offset, json.GetProperty("data").GetProperty("updates").GetProperty("remarks").GetString()));
                if (_goal is { } goal && offset >= goal.Offset)
                    goal.Reached.TrySetResult();
            }
        }
    }
}
