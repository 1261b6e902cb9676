using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Dunlin.Documents.Tests;

/// <summary>An answer: status, JSON body if any, and headers.</summary>
internal sealed record Answer(HttpStatusCode Status, JsonElement Body, HttpResponseHeaders Headers)
{
    public int Code => (int)Status;

    public string? Text(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.ToString() : null;

    public long Number(string name) => Body.GetProperty(name).GetInt64();

    /// <summary>Checks that this is the expected problem.</summary>
    public Answer Is(int status, string code)
    {
        Assert.True(Code == status && Text("code") == code, $"expected {status} {code}, got {Code} {Body}");
        Assert.NotNull(Text("hint"));
        return this;
    }

    public Answer Ok()
    {
        Assert.True(Code is >= 200 and < 300, $"{Code} {Body}");
        return this;
    }
}

/// <summary>One session with its requests and streams.</summary>
internal sealed class DocumentsClient(HttpClient http, string sessionId) : IAsyncDisposable
{
    private readonly List<RawStream> _streams = [];

    public HttpClient Http => http;

    public string SessionId => sessionId;

    public Task<Answer> PostAsync(string path, object body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), headers);

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = content };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new Answer(
            response.StatusCode,
            isJson ? JsonDocument.Parse(text).RootElement : JsonDocument.Parse("null").RootElement,
            response.Headers
        );
    }

    public Task<Answer> AcquireAsync(string fileId) => PostAsync("files/acquire_lock", new { file_id = fileId });

    public Task<Answer> WaitForAsync(string fileId) => PostAsync("files/acquire_lock", new { file_id = fileId, wait = true });

    /// <summary>Acquires the lock and returns the fencing token.</summary>
    public async Task<long> LockAsync(string fileId) => (await AcquireAsync(fileId)).Ok().Number("lease");

    public Task<Answer> ReleaseAsync(string fileId, long? lease = null) => PostAsync("files/release_lock", new { file_id = fileId, lease });

    public Task<Answer> HeartbeatAsync(string fileId, long? lease = null) => PostAsync("files/heartbeat", new { file_id = fileId, lease });

    public Task<Answer> SaveAsync(string fileId, string xml, long? lease) =>
        PostAsync(
            "files/save",
            new
            {
                xml_string = xml,
                file_id = fileId,
                lease,
            }
        );

    public Task<Answer> SaveNewAsync(string fileId, string xml) =>
        PostAsync(
            "files/save",
            new
            {
                xml_string = xml,
                file_id = fileId,
                new_version = true,
            }
        );

    public Task<Answer> DeleteAsync(params string[] files) => PostAsync("files/delete", new { files });

    public async Task<(byte[] Content, string ETag)> ReadAsync(string fileId)
    {
        using var response = await http.GetAsync(new Uri("/api/v1/files/" + fileId, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadAsByteArrayAsync(), response.Headers.ETag!.ToString());
    }

    public async Task<string> ReadTextAsync(string fileId) => Encoding.UTF8.GetString((await ReadAsync(fileId)).Content);

    public async Task<JsonElement> ListAsync() => (await GetAsync("files/list")).Ok().Body;

    /// <summary>Returns the files of a collection: the gold version, and the others, newest first.</summary>
    public async Task<(string Gold, string[] Versions)> FilesAsync(string collection)
    {
        var files = (await ListAsync())
            .GetProperty("documents")
            .EnumerateArray()
            .First(d => d.GetProperty("collection").GetString() == collection)
            .GetProperty("files")
            .EnumerateArray()
            .ToList();
        return (
            files.Where(f => f.GetProperty("is_gold").GetBoolean()).Select(f => f.GetProperty("stable_id").GetString()!).FirstOrDefault()
                ?? "",
            [.. files.Where(f => !f.GetProperty("is_gold").GetBoolean()).Select(f => f.GetProperty("stable_id").GetString()!)]
        );
    }

    public async Task<RawStream> SubscribeAsync(string path = "/api/v1/sse/subscribe")
    {
        var stream = await RawStream.OpenAsync(http, path);
        _streams.Add(stream);
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _streams)
            await stream.DisposeAsync();
        http.Dispose();
    }
}
