using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests.Support;

/// <summary>Requests of the tests to a server, over HTTP only.</summary>
internal static class Calls
{
    public static HttpClient Client(Uri address, string? token) => TestClients.New(address, token);

    /// <summary>Opens a stream. The query is sent unchanged, so that tests choose its encoding.</summary>
    public static Task<EventStreamReader<SseItem<string>>> OpenAsync(
        Uri address,
        string? token,
        string query,
        string? lastEventId = null
    ) => Client(address, token).OpenStreamAsync("/dunlin/v1/events?" + query, static item => item, lastEventId);

    /// <summary>Requests a stream at an existing address and returns the status, without reading the stream.</summary>
    public static async Task<(int Status, string Code)> TryOpenAsync(Uri address, string? token, string query)
    {
        using var client = Client(address, token);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/events?" + query);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return ((int)response.StatusCode, response.IsSuccessStatusCode ? "" : await CodeOfAsync(response));
    }

    public static async Task<(int Status, JsonElement Answer)> SendAsync(
        Uri address,
        string? token,
        HttpMethod method,
        string path,
        object? body = null
    )
    {
        using var client = Client(address, token);
        var answer = await client.SendJsonAsync(method.Method, path, body);
        return (answer.Status, answer.Body);
    }

    public static async Task<string> PublishAsync(Uri address, string token, string topic, object? data, string type = "e")
    {
        var (status, answer) = await SendAsync(
            address,
            token,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic,
                type,
                data,
            }
        );
        Assert.True(status == 200, $"{status}: {answer}");
        return answer.GetProperty("positions")[0].GetString()!;
    }

    public static async Task<string> TryPublishAsync(Uri address, string? token, string topic)
    {
        var (status, answer) = await SendAsync(
            address,
            token,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic,
                type = "e",
                data = 1,
            }
        );
        return status == 200 ? "ok" : answer.GetProperty("code").GetString()!;
    }

    public static Task<SseItem<string>> UntilAsync(this EventStreamReader<SseItem<string>> reader, string type) =>
        reader.UntilAsync(item => item.EventType == type);

    private static async Task<string> CodeOfAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString()!;
}
