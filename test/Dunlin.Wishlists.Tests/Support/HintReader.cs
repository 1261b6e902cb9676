using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Threading.Channels;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>One event of a user's stream.</summary>
internal sealed record Hint(string Type, JsonElement Data);

/// <summary>Reads a stream as .NET's own parser does.</summary>
internal sealed class HintReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly Channel<Hint> _hints = Channel.CreateUnbounded<Hint>();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;

    public HintReader(HttpClient client, HttpResponseMessage response, Stream stream)
    {
        (_client, _response) = (client, response);
        _reading = ReadAsync(stream);
    }

    public List<Hint> Seen { get; } = [];

    public async Task<Hint> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var hint = await _hints.Reader.ReadAsync(patience.Token);
            Seen.Add(hint);
            return hint;
        }
        catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
        {
            throw new InvalidOperationException($"No further event after: {string.Join(" | ", Seen.Select(h => $"{h.Type} {h.Data}"))}", error);
        }
    }

    public async Task<Hint> UntilAsync(string type)
    {
        while (true)
        {
            var hint = await NextAsync();
            if (hint.Type == type)
                return hint;
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
                await _hints.Writer.WriteAsync(new Hint(item.EventType, JsonDocument.Parse(item.Data).RootElement));
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or HttpRequestException)
        {
            // The test, or the server, has ended it.
        }
        _hints.Writer.TryComplete();
    }
}
