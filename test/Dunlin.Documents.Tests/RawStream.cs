using System.Net;
using System.Text;
using System.Text.Json;

namespace Dunlin.Documents.Tests;

/// <summary>One frame as it came.</summary>
internal sealed record RawFrame(string Name, string Data)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;

    public string? Member(string name) => Data.StartsWith('{') && Json.TryGetProperty(name, out var value) ? value.ToString() : null;

    public bool Is(string name, string? reason = null, string? file = null) =>
        Name == name && (reason is null || Member("reason") == reason) && (file is null || Member("stable_id") == file);
}

/// <summary>An open stream, read as text: every byte that came is kept. Parses its lines itself, because tests assert on lines that .NET's
/// parser drops, such as comments and unknown fields.</summary>
internal sealed class RawStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards all below
    private readonly StringBuilder _text = new();
    private readonly List<RawFrame> _frames = [];
    private readonly List<(Func<IReadOnlyList<RawFrame>, bool> Wanted, TaskCompletionSource Reached)> _waiting = [];
    private readonly Task _reading;

    private RawStream(HttpResponseMessage response)
    {
        _response = response;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Completes when the server ends the stream.</summary>
    public Task Ended => _reading.WaitAsync(Patience);

    /// <summary>All that came, byte by byte.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
                return _text.ToString();
        }
    }

    public IReadOnlyList<RawFrame> Frames
    {
        get
        {
            lock (_gate)
                return [.. _frames];
        }
    }

    /// <summary>Opens a stream and returns when it is connected.</summary>
    public static async Task<RawStream> OpenAsync(HttpClient http, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var stream = new RawStream(response);
        await stream.WhenAsync(frames => frames.Any(f => f.Name is "connected" or "dunlin.hello"));
        return stream;
    }

    public Task WhenAsync(string name, string? reason = null, string? file = null) =>
        WhenAsync(frames => frames.Any(f => f.Is(name, reason, file)));

    public async Task WhenAsync(Func<IReadOnlyList<RawFrame>, bool> wanted)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (wanted(_frames))
                return;
            _waiting.Add((wanted, reached));
        }
        try
        {
            await reached.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"What was waited for did not come; so far:\n{Text}");
        }
    }

    public int Count(string name, string? reason = null, string? file = null) => Frames.Count(f => f.Is(name, reason, file));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _response.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReadAsync()
    {
        await using var body = await _response.Content.ReadAsStreamAsync(_stop.Token);
        using var reader = new StreamReader(body, Encoding.UTF8);
        var (name, data) = ("message", new List<string>());
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            lock (_gate)
                _text.Append(line).Append('\n');
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data.Add(line[6..]);
            else if (line.Length == 0)
            {
                if (data.Count > 0)
                    Add(new RawFrame(name, string.Join('\n', data)));
                (name, data) = ("message", []);
            }
        }
    }

    private void Add(RawFrame frame)
    {
        lock (_gate)
        {
            _frames.Add(frame);
            foreach (var (wanted, reached) in _waiting)
            {
                if (wanted(_frames))
                    reached.TrySetResult();
            }
            _waiting.RemoveAll(w => w.Reached.Task.IsCompleted);
        }
    }
}
