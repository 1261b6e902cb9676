using System.Globalization;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text.Json;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>One device of one user. Reads its stream, reconnects with its last position, and records what it received.</summary>
internal sealed class DeviceReader(HttpClient client, string user, string device)
{
    private readonly Lock _gate = new(); // guards _seen and _reached
    private readonly List<(long Offset, string Id)> _seen = [];
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _position;
    private long _last;

    public string User => user;

    public Task Connected => _connected.Task;

    public int Duplicated { get; private set; }

    public int Reordered { get; private set; }

    public int WrongUser { get; private set; }

    public int Resets { get; private set; }

    public int Connections { get; private set; }

    public string LastEnd { get; private set; } = "";

    /// <summary>The created tasks with the positions of their events.</summary>
    public IReadOnlyList<(long Offset, string Id)> Seen
    {
        get
        {
            lock (_gate)
                return [.. _seen];
        }
    }

    public long Last => Volatile.Read(ref _last);

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
                LastEnd = error.Message;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 300)), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        // A stream without data for so long is dead; the next attempt goes to another node.
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stop);
        silence.CancelAfter(TimeSpan.FromSeconds(12));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/sse?deviceId={device}");
        if (_position is not null)
            request.Headers.Add("Last-Event-ID", _position);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
        if (!response.IsSuccessStatusCode)
        {
            LastEnd = response.StatusCode.ToString();
            return;
        }
        Connections++;
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(silence.Token)).EnumerateAsync(silence.Token))
        {
            silence.CancelAfter(TimeSpan.FromSeconds(12));
            Take(item);
        }
    }

    private void Take(SseItem<string> item)
    {
        if (item.EventType == "dunlin.reset")
            Resets++;
        if (item.EventType != "message")
            return;
        var json = JsonDocument.Parse(item.Data).RootElement;
        var channel = json.GetProperty("channel").GetString();
        if (channel == "system")
            _connected.TrySetResult();
        // The parser repeats the last id for events without one, but every task event has its own.
        var (id, before) = (item.EventId ?? "", _position);
        _position = id.Length > 0 ? id : _position;
        if (channel != "tasks")
            return;
        if (string.Equals(id, before, StringComparison.Ordinal))
            Duplicated++;
        var offset = long.Parse(id.Split('-')[1], CultureInfo.InvariantCulture);
        var payload = json.GetProperty("payload");
        var taskId = payload.GetProperty("id").GetString()!;
        lock (_gate)
        {
            if (offset < _last)
                Reordered++;
            if (!taskId.StartsWith(user + "-", StringComparison.Ordinal))
                WrongUser++;
            _last = Math.Max(_last, offset);
            _seen.Add((offset, taskId));
        }
    }
}
