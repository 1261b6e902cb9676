using System.Net;
using System.Net.ServerSentEvents;
using System.Text;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>An open stream and what came on it.</summary>
internal sealed class OpenStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards _events, _waiting
    private readonly List<(string Name, string Data)> _events = [];
    private readonly List<(Func<(string Name, string Data), bool> Wanted, TaskCompletionSource Reached)> _waiting = [];
    private readonly Task _reading;

    private OpenStream(HttpResponseMessage response)
    {
        _response = response;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Completes when the server ends the stream.</summary>
    public Task Ended => _reading.WaitAsync(Patience);

    public string Text
    {
        get
        {
            lock (_gate)
                return string.Join('\n', _events);
        }
    }

    /// <summary>Opens a stream and returns when its first event is there.</summary>
    public static async Task<OpenStream> OpenAsync(HttpClient http, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var stream = new OpenStream(response);
        await stream.WhenAsync(static _ => true);
        return stream;
    }

    /// <summary>Waits for an event that holds all these words.</summary>
    public Task WhenAsync(params string[] words) => WhenAsync(e => Holds(e, words));

    public int Count(params string[] words)
    {
        lock (_gate)
            return _events.Count(e => Holds(e, words));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _response.Dispose();
    }

    private static bool Holds((string Name, string Data) e, string[] words) =>
        words.All(word => e.Name == word || e.Data.Contains(word, StringComparison.Ordinal));

    private async Task WhenAsync(Func<(string Name, string Data), bool> wanted)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_events.Any(wanted))
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

    private async Task ReadAsync()
    {
        try
        {
            await using var body = await _response.Content.ReadAsStreamAsync(_stop.Token);
            await foreach (
                var item in SseParser.Create(body, static (_, data) => Encoding.UTF8.GetString(data)).EnumerateAsync(_stop.Token)
            )
            {
                lock (_gate)
                {
                    var added = (item.EventType, item.Data);
                    _events.Add(added);
                    foreach (var (wanted, reached) in _waiting)
                    {
                        if (wanted(added))
                            reached.TrySetResult();
                    }
                }
            }
        }
        catch (IOException)
        {
            // Cut rather than closed.
        }
    }
}
