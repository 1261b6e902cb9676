using System.Net;
using Dunlin.TestKit;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>An open stream and its received events.</summary>
internal sealed class OpenStream : IAsyncDisposable
{
    private readonly EventStreamReader<(string Name, string Data)> _reader;

    private OpenStream(EventStreamReader<(string Name, string Data)> reader) => _reader = reader;

    /// <summary>Completes when the server ends the stream.</summary>
    public Task Ended => _reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));

    public string Text => string.Join('\n', _reader.Received);

    /// <summary>Opens a stream. Returns after its first event.</summary>
    public static async Task<OpenStream> OpenAsync(HttpClient http, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var reader = await EventStreamReader<(string, string)>.OpenAsync(null, response, static item => (item.EventType, item.Data));
        await reader.WhenAsync(static received => received.Count > 0);
        return new OpenStream(reader);
    }

    /// <summary>Waits for an event that contains all these words.</summary>
    public Task WhenAsync(params string[] words) => _reader.WhenAsync(received => received.Any(e => Holds(e, words)));

    public int Count(params string[] words) => _reader.Received.Count(e => Holds(e, words));

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private static bool Holds((string Name, string Data) e, string[] words) =>
        words.All(word => e.Name == word || e.Data.Contains(word, StringComparison.Ordinal));
}
