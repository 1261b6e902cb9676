using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Reads a combined response block by block and tells whose each block is. Parses the fields itself, because .NET's parser drops
/// those that event streams do not define, and the field <c>stream</c> is one of them.</summary>
internal sealed class CombinedReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client;
    private readonly StreamReader _lines;
    private readonly List<Block> _unread = [];
    private string? _current;

    private CombinedReader(HttpClient client, HttpResponseMessage response, Stream stream)
    {
        _client = client;
        Response = response;
        _lines = new StreamReader(stream);
    }

    public HttpResponseMessage Response { get; }

    public string Id => Response.Headers.GetValues("Dunlin-Connection").Single();

    /// <summary>Blocks with a field <c>stream</c> so far: markers, openings, refusals and ends.</summary>
    public List<Block> Controls { get; } = [];

    public static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, object body) =>
        client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) },
            HttpCompletionOption.ResponseHeadersRead
        );

    public static async Task<CombinedReader> OpenAsync(EngineHost host, string user, params object[] streams)
    {
        var client = host.Client(user);
        var response = await PostAsync(client, "/dunlin/v1/streams", new { streams }).WaitAsync(Patience);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        return new CombinedReader(client, response, await response.Content.ReadAsStreamAsync());
    }

    public async Task ChangeAsync(object change)
    {
        using var response = await PostAsync(_client, $"/dunlin/v1/streams/{Id}", change);
        Assert.True((int)response.StatusCode == 204, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The next block that is looked for; null at the end of the response. Others are kept for later.</summary>
    public async Task<Block?> UntilAsync(Func<Block, bool> isLookedFor)
    {
        if (_unread.FirstOrDefault(isLookedFor) is { } kept)
        {
            _unread.Remove(kept);
            return kept;
        }
        while (await ReadAsync().WaitAsync(Patience) is { } block)
        {
            if (isLookedFor(block))
                return block;
            _unread.Add(block);
        }
        return null;
    }

    /// <summary>The opening, refusal or end of a stream.</summary>
    public async Task<Block> ControlAsync(string stream, string field) =>
        await UntilAsync(block => block.IsControl && block.Stream == stream && block[field] is not null)
        ?? throw new InvalidOperationException($"The response has ended without '{field}' of {stream}.");

    /// <summary>The next event of a stream.</summary>
    public async Task<Block> NextAsync(string stream)
    {
        if (_unread.FirstOrDefault(IsWanted) is { } kept)
        {
            _unread.Remove(kept);
            return kept;
        }
        while (await ReadAsync().WaitAsync(Patience) is { } block)
        {
            if (IsWanted(block))
                return block;
            _unread.Add(block);
        }
        throw new InvalidOperationException($"The response has ended. Unread: {string.Join(" | ", _unread)}");

        bool IsWanted(Block block) => !block.IsControl && block.Stream == stream && block["data"] is not null;
    }

    public async Task ToTheEndAsync()
    {
        while (await ReadAsync().WaitAsync(Patience) is { } block)
            _unread.Add(block);
    }

    public ValueTask DisposeAsync()
    {
        Response.Dispose();
        _client.Dispose();
        return default;
    }

    private async Task<Block?> ReadAsync()
    {
        var fields = new List<(string Name, string Value)>();
        while (await _lines.ReadLineAsync() is { } line)
        {
            if (line.Length > 0)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                var (name, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..]);
                if (name.Length > 0)
                    fields.Add((name, value.StartsWith(' ') ? value[1..] : value));
                continue;
            }
            if (fields.Count == 0)
                continue;
            var isControl = fields[0].Name == "stream";
            if (isControl)
                _current = fields[0].Value;
            var block = new Block(_current, isControl, [.. fields]);
            fields.Clear();
            if (isControl)
                Controls.Add(block);
            return block;
        }
        return null;
    }

    /// <param name="Stream">Whose it is.</param>
    /// <param name="IsControl">Whether it begins with the field <c>stream</c>.</param>
    /// <param name="Fields">Its fields.</param>
    internal sealed record Block(string? Stream, bool IsControl, IReadOnlyList<(string Name, string Value)> Fields)
    {
        public string? this[string name]
        {
            get
            {
                var values = Fields.Where(field => field.Name == name).Select(field => field.Value).ToList();
                return values.Count == 0 ? null : string.Join('\n', values);
            }
        }

        public JsonElement Problem => JsonDocument.Parse(this["problem"]!).RootElement;

        public override string ToString()
        {
            var text = new StringBuilder($"[{Stream}]");
            foreach (var (name, value) in Fields)
                text.Append(' ').Append(name).Append('=').Append(value);
            return text.ToString();
        }
    }
}
