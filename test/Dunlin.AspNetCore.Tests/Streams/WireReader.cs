using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>The transports of an event stream.</summary>
public enum Wire
{
    Sse,
    LongPoll,
    WebSocket,
}

/// <summary>A frame as a client sees it.</summary>
internal sealed record WireFrame(string Event, string? Id, string Data);

/// <summary>The refusal of a request.</summary>
internal sealed record WireRefusal(int Status, JsonElement Problem, string? RetryAfter)
{
    public string? Code => Problem.GetProperty("code").GetString();
}

/// <summary>Reads <c>GET events</c> over one transport, as a client does: a long poll asks again after each answer.</summary>
internal sealed class WireReader : IAsyncDisposable
{
    private const string Events = "/dunlin/v1/events?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EngineHost _host;
    private readonly string _query;
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<WireFrame> _frames = Channel.CreateUnbounded<WireFrame>();
    private readonly HttpClient _client;
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _rest = new();
    private Task _reading = Task.CompletedTask;
    private bool _isGreeted;
    private volatile bool _hasGoodbye;
    private volatile int _comments;

    private WireReader(EngineHost host, string query, string? from) =>
        (_host, _query, Position, _client) = (host, query, from, host.Client());

    /// <summary>Gets the position from which the client would resume.</summary>
    public string? Position { get; private set; }

    /// <summary>Gets the number of received comments.</summary>
    public int Comments => _comments;

    /// <summary>Gets the refusal of a later poll; null if there was none.</summary>
    public WireRefusal? Refusal { get; private set; }

    public static async Task<WireReader> OpenAsync(EngineHost host, Wire wire, string query = "topic=t", string? from = null)
    {
        var reader = new WireReader(host, query, from);
        if (wire == Wire.WebSocket)
            await reader.ConnectAsync();
        reader._reading = reader.RunAsync(
            wire switch
            {
                Wire.Sse => reader.StreamAsync,
                Wire.LongPoll => reader.PollAsync,
                _ => reader.ReceiveAsync,
            }
        );
        return reader;
    }

    /// <summary>Sends a request that must be refused.</summary>
    public static async Task<WireRefusal> RefuseAsync(EngineHost host, Wire wire, string query, string? user = "ann")
    {
        using var client = host.Client(user);
        using var request = new HttpRequestMessage(HttpMethod.Get, Events + query + (wire == Wire.LongPoll ? "&wait=25" : ""));
        if (wire == Wire.WebSocket)
        {
            request.Headers.Connection.Add("Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Protocol", "dunlin.v1");
        }
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.False(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.SwitchingProtocols, $"{response.StatusCode}");
        return await RefusalAsync(response);
    }

    /// <summary>Returns the next frame. The hello of a later poll is left out.</summary>
    public ValueTask<WireFrame> NextAsync() => new(_frames.Reader.ReadAsync().AsTask().WaitAsync(Patience));

    public async Task<List<WireFrame>> NextAsync(int count)
    {
        var frames = new List<WireFrame>();
        while (frames.Count < count)
            frames.Add(await NextAsync());
        return frames;
    }

    /// <summary>Waits for the end of the stream, and of all polls.</summary>
    /// <returns>The frames that were not read.</returns>
    public async Task<List<WireFrame>> ToEndAsync()
    {
        await _reading.WaitAsync(Patience);
        var rest = new List<WireFrame>();
        while (_frames.Reader.TryRead(out var frame))
            rest.Add(frame);
        return rest;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _client.Dispose();
        _closing.Dispose();
    }

    private async Task RunAsync(Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The test has ended.
        }
        finally
        {
            _frames.Writer.Complete();
        }
    }

    private async Task StreamAsync()
    {
        using var response = await GetAsync("");
        await using var body = await response.Content.ReadAsStreamAsync(_closing.Token);
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, _closing.Token) is > 0 and var read)
            Take(Encoding.UTF8.GetString(buffer, 0, read));
    }

    private async Task PollAsync()
    {
        while (!_hasGoodbye)
        {
            using var response = await GetAsync("&wait=25");
            if (response.StatusCode != HttpStatusCode.OK)
            {
                Refusal = await RefusalAsync(response);
                return;
            }
            Take(await response.Content.ReadAsStringAsync(_closing.Token));
        }
    }

    private Task<HttpResponseMessage> GetAsync(string more)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Events + _query + more);
        if (Position is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", Position);
        return _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _closing.Token);
    }

    private Task ConnectAsync()
    {
        _socket.Options.SetRequestHeader("X-User", "ann");
        _socket.Options.AddSubProtocol("dunlin.v1");
        var address = new UriBuilder(_host.Address) { Scheme = "ws" }.Uri;
        var resume = Position is null ? "" : $"&lastEventId={Position}";
        return _socket.ConnectAsync(new Uri(address, Events + _query + resume), _closing.Token).WaitAsync(Patience);
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        while (await _socket.ReceiveAsync(buffer.AsMemory(), _closing.Token) is { MessageType: WebSocketMessageType.Text } received)
            Take(Encoding.UTF8.GetString(buffer, 0, received.Count));
    }

    // The data of the tests is ASCII, so a read never divides a character.
    private void Take(string text)
    {
        _rest.Append(text);
        var blocks = _rest.ToString().Split("\n\n");
        foreach (var block in blocks[..^1])
            TakeBlock(block);
        _rest.Clear().Append(blocks[^1]);
    }

    private void TakeBlock(string block)
    {
        var (type, id) = ((string?)null, (string?)null);
        var data = new List<string>();
        foreach (var line in block.Split('\n'))
        {
            if (line.StartsWith(':'))
                Interlocked.Increment(ref _comments);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line["event: ".Length..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line["id: ".Length..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data.Add(line["data: ".Length..]);
        }
        Position = id ?? Position;
        if (type is null)
            return;
        _hasGoodbye |= type == "dunlin.goodbye";
        if (type != "dunlin.hello" || !_isGreeted)
            _frames.Writer.TryWrite(new WireFrame(type, id, string.Join('\n', data)));
        _isGreeted |= type == "dunlin.hello";
    }

    private static async Task<WireRefusal> RefusalAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return new WireRefusal((int)response.StatusCode, document.RootElement.Clone(), response.Headers.RetryAfter?.ToString());
    }
}
