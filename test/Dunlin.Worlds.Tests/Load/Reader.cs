using System.Globalization;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text.Json;
using Dunlin.Worlds.Tests.Histories;

namespace Dunlin.Worlds.Tests.Load;

/// <summary>Reads the event stream of the topics of a world, and reconnects with its last position after every interruption.</summary>
internal sealed class Reader(History history, string name, Func<Uri> address) : IDisposable
{
    private const string Path = "/dunlin/v1/events?topic=worlds/**&topic=leases/worlds";

    // A stream over which nothing came is opened again: the network may have dropped it without a word.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new(); // guards _seen and _waiting
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);
    private string? _position;

    public string Name => name;

    public Task Connected => _connected.Task;

    /// <summary>Gets the position of the last event or reset, for messages.</summary>
    public string? Position => _position;

    public Task WhenSeenAsync(string id)
    {
        lock (_gate)
        {
            if (_seen.Contains(id))
                return Task.CompletedTask;
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting[id] = seen;
            return seen.Task;
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
                // The stream broke, or was silent.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    public void Dispose() => _connected.TrySetCanceled();

    private async Task ReadAsync(CancellationToken stop)
    {
        using var api = new Api(address(), name);
        using var quiet = new CancellationTokenSource(Silence, TimeProvider.System);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, quiet.Token);
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        if (_position is not null)
            request.Headers.Add("Last-Event-ID", _position);
        using var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
        if (!response.IsSuccessStatusCode)
            return;
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(end.Token)).EnumerateAsync(end.Token))
        {
            quiet.CancelAfter(Silence);
            Take(item);
            if (item.EventType == "dunlin.goodbye")
                return;
        }
    }

    private void Take(SseItem<string> item)
    {
        if (item.EventType == "dunlin.reset")
        {
            var at = Place.Parse(item.EventId!);
            history.Add(name, new SeenReset(at, JsonElement.Parse(item.Data).GetProperty("reason").GetString()!));
            _position = item.EventId;
        }
        else if (item.EventType == "dunlin.hello" && _position is null)
        {
            history.Add(name, new SeenStart(Place.Parse(item.EventId!)));
            _position = item.EventId;
            _connected.TrySetResult();
        }
        else if (item.EventId is not null && !item.EventType.StartsWith("dunlin.", StringComparison.Ordinal))
        {
            var seen = EventOf(Place.Parse(item.EventId), item.EventType, JsonElement.Parse(item.Data));
            history.Add(name, seen);
            _position = item.EventId;
            if (seen.Id is not null)
                Note(seen.Id);
        }
    }

    /// <summary>Returns an event of a stream or of a page of the journal.</summary>
    public static SeenEvent EventOf(Place at, string type, JsonElement data) =>
        new(at, type, Text(data, "id"), Text(data, "resource"), data.TryGetProperty("fence", out var token) ? token.GetInt64() : 0);

    private void Note(string id)
    {
        lock (_gate)
        {
            _seen.Add(id);
            if (_waiting.Remove(id, out var seen))
                seen.TrySetResult();
        }
    }

    private static string? Text(JsonElement data, string member) => data.TryGetProperty(member, out var text) ? text.GetString() : null;
}
