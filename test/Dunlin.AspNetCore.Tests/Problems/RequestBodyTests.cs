using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dunlin.AspNetCore.Tests.Problems;

public sealed class RequestBodyTests : IAsyncLifetime
{
    private const int Limit = 1000;
    private TestHost _host = null!;
    private HttpClient _client = null!;
    private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [JsonConverter(typeof(JsonStringEnumConverter<Colour>))]
    public enum Colour
    {
        Red,
    }

    public sealed record Item(string Name, int Count);

    public sealed record Order(string Title, IReadOnlyList<Item> Items)
    {
        public string? Note { get; init; }

        public int Amount { get; init; }

        [JsonPropertyName("is_gift")]
        public bool IsGift { get; init; }

        public Colour Colour { get; init; }

        public IReadOnlyDictionary<string, Item>? ByName { get; init; }

        public JsonElement? Data { get; init; }

        public string[] Tags { get; init; } = [];

        public IReadOnlyList<string?> Marks { get; init; } = [];

        public Dictionary<string, IReadOnlyList<string>>? Words { get; init; }

        public DateTimeOffset? At { get; init; }
    }

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync(
            new HostSetup
            {
                Map = app =>
                    app.MapPost(
                        "/api/order",
                        async context =>
                        {
                            context.Response.OnCompleted(() =>
                            {
                                _ended.TrySetResult();
                                return Task.CompletedTask;
                            });
                            _reading.TrySetResult();
                            var order = await RequestBody.ReadAsync<Order>(context, Limit, context.RequestAborted);
                            await context.Response.WriteAsync(order.Title);
                        }
                    ),
            }
        );
        _client = _host.Plain();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Theory]
    [InlineData(
        """{"title":"a","items":[{"name":"n","count":1}],"note":null,"amount":3,"is_gift":true,"colour":"Red","byName":{"x":{"name":"n","count":1}},"data":{"any":[1,{},null]},"tags":["null"],"marks":[null,"x"],"words":{"x":[]},"at":"2026-03-01T09:30:00.123456789+0100"}"""
    )]
    [InlineData("""  {"items":[],"title":"a"}  """)]
    public async Task A_valid_body_is_accepted(string body)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        Assert.Equal("a", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/vnd.app+json")]
    public async Task JSON_content_types_are_accepted(string contentType)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json("""{"title":"a","items":[]}""", contentType));
        Assert.Equal("a", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("gzip", 415)]
    [InlineData("br", 415)]
    [InlineData("identity, gzip", 415)]
    [InlineData("identity", 200)]
    public async Task A_compressed_body_is_refused_naming_the_compression(string encoding, int status)
    {
        var content = HttpAssert.Json("""{"title":"a","items":[]}""");
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        using var response = await _client.PostAsync("/api/order", content);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 200)
            return;
        var problem = await HttpAssert.ProblemAsync(response, 415, "unsupported_media_type");
        Assert.Equal("Content-Encoding", problem.GetProperty("field").GetString());
        Assert.Contains("uncompressed", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_byte_order_mark_is_skipped_and_alone_is_an_empty_body()
    {
        foreach (
            var (body, status) in new[]
            {
                ("\uFEFF{\"title\":\"a\",\"items\":[]}", 200),
                ("\uFEFF\uFEFF{\"title\":\"a\",\"items\":[]}", 400),
                ("\uFEFF", 400),
            }
        )
        {
            using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
            if (status == 200)
                Assert.Equal("a", await response.Content.ReadAsStringAsync());
            else
                await HttpAssert.ProblemAsync(response, 400, "invalid_json");
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("not a type")]
    [InlineData("")]
    public async Task Other_content_types_are_refused(string contentType)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json("""{"title":"a","items":[]}""", contentType));
        await HttpAssert.ProblemAsync(response, 415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"title":"a","items":[]} x""")]
    [InlineData("""{"title":"a","items":[]}{}""")]
    [InlineData("""{"title":"a","items":[],}""")]
    [InlineData("""{"title":"a" /* no */,"items":[]}""")]
    [InlineData("""{'title':'a'}""")]
    [InlineData("{\"title\":\"a\nb\",\"items\":[]}")]
    [InlineData("""{"title":"a","title":"b","items":[]}""")]
    [InlineData("""{"title":"a","items":[{"name":"n","count":1,"count":2}]}""")]
    [InlineData("""{"title":"a","items":[],"data":{"x":1,"x":2}}""")]
    public async Task A_body_that_is_not_one_JSON_value_is_refused(string body)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        await HttpAssert.ProblemAsync(response, 400, "invalid_json");
    }

    [Fact]
    public async Task Nesting_above_the_limit_is_refused()
    {
        var body = $$"""{"title":"a","items":[],"data":{{new string('[', 40)}}{{new string(']', 40)}}}""";
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        await HttpAssert.ProblemAsync(response, 400, "invalid_json");
    }

    [Fact]
    public async Task Invalid_UTF8_is_refused()
    {
        var content = new ByteArrayContent([.. "{\"title\":\""u8, 0xC3, 0x28, .. "\",\"items\":[]}"u8]);
        content.Headers.Add("Content-Type", "application/json");
        using var response = await _client.PostAsync("/api/order", content);
        await HttpAssert.ProblemAsync(response, 400, "invalid_json");
    }

    [Theory]
    [InlineData("""{"title":"a","items":[],"nope":1}""", "nope")]
    [InlineData("""{"Title":"a","items":[]}""", "Title")]
    [InlineData("""{"title":"a","items":[{"name":"n","count":1},{"name":"n","count":1,"__proto__":{}}]}""", "items[1].__proto__")]
    [InlineData("""{"title":"a","items":[],"byName":{"x":{"name":"n","count":1,"extra":1}}}""", "byName.x.extra")]
    [InlineData("""{"title":"a","items":[],"isGift":true}""", "isGift")]
    public async Task An_unknown_member_is_named(string body, string field)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        var problem = await HttpAssert.ProblemAsync(response, 400, "unknown_field");
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("""{"items":[]}""", "title")]
    [InlineData("""{"title":"a"}""", "items")]
    [InlineData("""{}""", "title")]
    [InlineData("""{"title":"a","items":[{"name":"n"}]}""", "items[0].count")]
    [InlineData("""{"title":1,"items":[]}""", "title")]
    [InlineData("""{"title":null,"items":[]}""", "title")]
    [InlineData("""{"title":{},"items":[]}""", "title")]
    [InlineData("""{"title":"a","items":{}}""", "items")]
    [InlineData("""{"title":"a","items":"x"}""", "items")]
    [InlineData("""{"title":"a","items":[1]}""", "items[0]")]
    [InlineData("""{"title":"a","items":[{"name":"n","count":"1"}]}""", "items[0].count")]
    [InlineData("""{"title":"a","items":[{"name":"n","count":1.5}]}""", "items[0].count")]
    [InlineData("""{"title":"a","items":[],"amount":99999999999}""", "amount")]
    [InlineData("""{"title":"a","items":[],"amount":null}""", "amount")]
    [InlineData("""{"title":"a","items":[],"amount":"3"}""", "amount")]
    [InlineData("""{"title":"a","items":[],"is_gift":"true"}""", "is_gift")]
    [InlineData("""{"title":"a","items":[],"colour":"Green"}""", "colour")]
    [InlineData("""{"title":"a","items":[],"byName":[]}""", "byName")]
    [InlineData("""{"title":"a","items":[null]}""", "items[0]")]
    [InlineData("""{"title":"a","items":[{"name":"n","count":1},null]}""", "items[1]")]
    [InlineData("""{"title":"a","items":[],"tags":["x",null]}""", "tags[1]")]
    [InlineData("""{"title":"a","items":[],"byName":{"x":null}}""", "byName.x")]
    [InlineData("""{"title":"a","items":[],"words":{"x":["y",null]}}""", "words.x[1]")]
    [InlineData("""{"title":"a","items":[],"words":{"x":null}}""", "words.x")]
    [InlineData("""{"title":"a\ud83d","items":[]}""", "title")]
    [InlineData("""{"title":"a","items":[{"name":"\udc00","count":1}]}""", "items[0].name")]
    [InlineData("""{"title":"a\u0000","items":[]}""", "title")]
    [InlineData("""{"title":"a","items":[],"data":{"n":1e400}}""", "data.n")]
    [InlineData("""{"title":"a","items":[],"data":{"\ud83d":1}}""", "data.\\ud83d")]
    [InlineData("""{"title":"a","items":[],"\ud83d":1}""", "\\ud83d")]
    [InlineData("""{"title":"a","items":[],"at":"2026-03-01T09:30:00"}""", "at")]
    [InlineData("""{"title":"a","items":[],"at":5}""", "at")]
    public async Task A_missing_null_or_mistyped_member_is_named(string body, string field)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        var problem = await HttpAssert.ProblemAsync(response, 400, "invalid_field");
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("\"text\"")]
    public async Task A_body_of_another_JSON_type_is_refused(string body)
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(body));
        await HttpAssert.ProblemAsync(response, 400, "invalid_field");
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_with_the_limit()
    {
        using var response = await _client.PostAsync("/api/order", HttpAssert.Json(Padded(Limit + 1)));
        var problem = await HttpAssert.ProblemAsync(response, 413, "too_large");
        Assert.Equal(Limit, problem.GetProperty("limit").GetInt32());
        using var exact = await _client.PostAsync("/api/order", HttpAssert.Json(Padded(Limit)));
        Assert.Equal(200, (int)exact.StatusCode);
    }

    [Fact]
    public async Task A_body_over_the_limit_without_a_length_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/order") { Content = HttpAssert.Json(Padded(100_000)) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await _client.SendAsync(request);
        var problem = await HttpAssert.ProblemAsync(response, 413, "too_large");
        Assert.Equal(Limit, problem.GetProperty("limit").GetInt32());
    }

    [Fact]
    public async Task A_body_shorter_than_its_length_is_refused_or_aborted()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", _host.Address.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                "POST /api/order HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"title\":\"a\",\"items\":[]}"
            )
        );
        socket.Client.Shutdown(SocketShutdown.Send);
        var answer = "";
        try
        {
            using var reader = new StreamReader(stream);
            answer = await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            // The server reset the connection of a peer that aborted its request.
        }
        Assert.DoesNotContain(" 200 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Error 4000", _host.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF\r\n")]
    [InlineData("80000000\r\n")]
    [InlineData("7FFFFFFFFF\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("5\r\nhello!\r\n")]
    [InlineData("\r\n")]
    public async Task A_malformed_chunk_is_a_client_error(string chunks)
    {
        using var socket = await SendAsync("Transfer-Encoding: chunked\r\n", chunks);
        using var reader = new StreamReader(socket.GetStream());
        Assert.Equal("HTTP/1.1 400 Bad Request", await reader.ReadLineAsync());
        var problem = await reader.ReadToEndAsync();
        Assert.Contains("application/problem+json", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(" Error ", _host.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhel")]
    [InlineData("Content-Length: 500\r\n", "{")]
    public async Task A_reset_within_the_body_is_no_server_error(string header, string body)
    {
        using (var socket = await SendAsync(header, body))
        {
            await _reading.Task.WaitAsync(TimeSpan.FromSeconds(30));
            socket.Client.Close(timeout: 0);
        }
        await _ended.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.DoesNotContain("Error 4000", _host.Log.All, StringComparison.Ordinal);
    }

    private async Task<TcpClient> SendAsync(string header, string body)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", _host.Address.Port);
        await socket
            .GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST /api/order HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{header}\r\n{body}"
                )
            );
        return socket;
    }

    private static string Padded(int bytes)
    {
        const string start = """{"title":"a","items":[],"note":" """;
        return start + new string('x', bytes - start.Length - 2) + "\"}";
    }
}
