using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Threading.Channels;

namespace Dunlin.Focus.Tests;

/// <summary>One frame of a device's stream.</summary>
internal sealed record Envelope(string? Id, string Channel, string Type, JsonElement Payload, string? SourceDeviceId)
{
    public string Name => $"{Channel}:{Type}";
}

/// <summary>Reads a device's stream as .NET's own parser does.</summary>
internal sealed class EnvelopeReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly Channel<Envelope> _frames = Channel.CreateUnbounded<Envelope>();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;

    public EnvelopeReader(HttpClient client, HttpResponseMessage response, Stream stream)
    {
        (_client, _response) = (client, response);
        _reading = ReadAsync(stream);
    }

    public List<Envelope> Seen { get; } = [];

    public string? LastId { get; private set; }

    public bool IsOpen => !_reading.IsCompleted;

    public async Task<Envelope> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var frame = await _frames.Reader.ReadAsync(patience.Token);
            Seen.Add(frame);
            LastId = frame.Id ?? LastId;
            return frame;
        }
        catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
        {
            throw new InvalidOperationException($"No further frame after: {string.Join(" | ", Seen.Select(f => $"{f.Id} {f.Name}"))}", error);
        }
    }

    public async Task<Envelope> UntilAsync(string name)
    {
        while (true)
        {
            var frame = await NextAsync();
            if (frame.Name == name)
                return frame;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The reading ends first: a response that is disposed under a read can throw anything.
        await _ending.CancelAsync();
        await _reading.WaitAsync(Patience);
        _response.Dispose();
        _client.Dispose();
        _ending.Dispose();
    }

    private async Task ReadAsync(Stream stream)
    {
        try
        {
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(_ending.Token))
            {
                if (item.EventType != "message")
                    continue;
                var frame = JsonDocument.Parse(item.Data).RootElement;
                await _frames.Writer.WriteAsync(new Envelope(
                    item.EventId, frame.GetProperty("channel").GetString()!, frame.GetProperty("type").GetString()!, frame.GetProperty("payload"),
                    frame.GetProperty("sourceDeviceId").GetString()));
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or HttpRequestException)
        {
            // The test, or the server, has ended it.
        }
        _frames.Writer.TryComplete();
    }
}
