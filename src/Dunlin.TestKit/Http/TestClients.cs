using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Dunlin.TestKit;

/// <summary>An answer that was read to its end.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body where it is JSON; else undefined.</param>
/// <param name="Text">The body as text.</param>
/// <param name="Headers">The headers of the response.</param>
public sealed record TestAnswer(int Status, JsonElement Body, string Text, HttpResponseHeaders Headers)
{
    /// <summary>The code of a problem document; null where the body has none.</summary>
    public string? Code => Member("code");

    /// <summary>Whether the status is 200 to 299.</summary>
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Returns a member of the body as text; null where there is none.</summary>
    public string? Member(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.ToString() : null;

    /// <summary>Checks that the request succeeded, and returns the body.</summary>
    public JsonElement Ok()
    {
        Assert.True(IsSuccess, $"{Status} {Text}");
        return Body;
    }

    /// <summary>Checks that this is the problem that the test expects.</summary>
    public TestAnswer Is(int status, string code)
    {
        Assert.True(Status == status && Code == code, $"Expected {status} {code}, got {Status} {Text}");
        return this;
    }
}

/// <summary>Clients of a server under test, and requests in one line.</summary>
public static class TestClients
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Returns a client without cookies and without a time limit, whose connection closes at once when a stream is left.</summary>
    /// <param name="address">The server.</param>
    /// <param name="token">A bearer token; null for none.</param>
    public static HttpClient New(Uri address, string? token = null)
    {
        var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            ResponseDrainTimeout = TimeSpan.Zero,
            ConnectTimeout = TimeSpan.FromSeconds(5),
        };
        var client = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Signs in with a password at the accounts of Dunlin; the client sends the access token from then on.</summary>
    /// <returns>The answer's body, with <c>sessionId</c> and <c>accessToken</c>.</returns>
    public static async Task<JsonElement> SignInAsync(this HttpClient client, string username, string password)
    {
        var answer = (await client.SendJsonAsync("POST", "/api/v1/auth/login", new { username, password })).Ok();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.GetProperty("accessToken").GetString());
        return answer;
    }

    /// <summary>Sends a request and reads the answer.</summary>
    /// <param name="client">The client.</param>
    /// <param name="method">The method, for example <c>POST</c>.</param>
    /// <param name="path">The path and query.</param>
    /// <param name="body">A string is sent as it is, as JSON; other values are serialised; null sends no body.</param>
    /// <param name="headers">Further headers, which are not validated.</param>
    public static async Task<TestAnswer> SendJsonAsync(
        this HttpClient client,
        string method,
        string path,
        object? body = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        request.Content = body switch
        {
            null => null,
            HttpContent content => content,
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body),
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request);
        var read = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new TestAnswer((int)response.StatusCode, isJson ? JsonElement.Parse(read) : default, read, response.Headers);
    }

    /// <summary>Opens an event stream and returns when its head has come. The reader owns the client from here on.</summary>
    /// <param name="client">The client.</param>
    /// <param name="pathAndQuery">The path and query.</param>
    /// <param name="read">What the test makes of an event.</param>
    /// <param name="lastEventId">The position to resume after.</param>
    /// <param name="isWanted">Which events are read; null for all.</param>
    /// <exception cref="InvalidOperationException">The server refused it; the message holds its answer.</exception>
    public static Task<EventStreamReader<T>> OpenStreamAsync<T>(
        this HttpClient client,
        string pathAndQuery,
        Func<SseItem<string>, T> read,
        string? lastEventId = null,
        Func<SseItem<string>, bool>? isWanted = null
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(pathAndQuery, UriKind.Relative));
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        return client.OpenStreamAsync(request, read, isWanted);
    }

    /// <summary>Opens an event stream with a request of the test's own. The reader owns the client from here on.</summary>
    /// <exception cref="InvalidOperationException">The server refused it; the message holds its answer.</exception>
    public static async Task<EventStreamReader<T>> OpenStreamAsync<T>(
        this HttpClient client,
        HttpRequestMessage request,
        Func<SseItem<string>, T> read,
        Func<SseItem<string>, bool>? isWanted = null
    )
    {
        using (request)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
            if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
                throw new InvalidOperationException($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            return await EventStreamReader<T>.OpenAsync(client, response, read, isWanted);
        }
    }
}
