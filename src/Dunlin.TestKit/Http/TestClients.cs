using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Dunlin.TestKit;

/// <summary>Represents a complete response. Immutable.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body if it is JSON; otherwise undefined.</param>
/// <param name="Text">The body as text.</param>
/// <param name="Headers">The headers of the response.</param>
public sealed record TestAnswer(int Status, JsonElement Body, string Text, HttpResponseHeaders Headers)
{
    /// <summary>Gets the code of a problem document, or null.</summary>
    public string? Code => Member("code");

    /// <summary>Gets whether the status is 200 to 299.</summary>
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Returns a member of the body as text, or null if it is absent.</summary>
    /// <param name="name">The name of the member.</param>
    public string? Member(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.ToString() : null;

    /// <summary>Asserts that the request succeeded, and returns the body.</summary>
    public JsonElement Ok()
    {
        Assert.True(IsSuccess, $"{Status} {Text}");
        return Body;
    }

    /// <summary>Asserts that the response is a problem with this status and code.</summary>
    /// <param name="status">The expected status code.</param>
    /// <param name="code">The expected error code.</param>
    /// <returns>The same response.</returns>
    public TestAnswer Is(int status, string code)
    {
        Assert.True(Status == status && Code == code, $"Expected {status} {code}, got {Status} {Text}");
        return this;
    }
}

/// <summary>Extends <see cref="HttpClient"/> for servers under test.</summary>
public static class TestClients
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(100);

    /// <summary>Returns a client without cookies and without a time-out, which closes a connection at once when its stream is
    /// disposed.</summary>
    /// <param name="address">The server.</param>
    /// <param name="token">A bearer token. Null for none.</param>
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

    /// <summary>Signs in with a password at Dunlin's account endpoints. The client sends the access token from then on.</summary>
    /// <param name="client">The client.</param>
    /// <param name="username">The user name.</param>
    /// <param name="password">The password.</param>
    /// <returns>The body of the response, with <c>sessionId</c> and <c>accessToken</c>.</returns>
    public static async Task<JsonElement> SignInAsync(this HttpClient client, string username, string password)
    {
        var answer = (await client.SendJsonAsync("POST", "/api/v1/auth/login", new { username, password })).Ok();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.GetProperty("accessToken").GetString());
        return answer;
    }

    /// <summary>Sends a request and reads the response.</summary>
    /// <param name="client">The client.</param>
    /// <param name="method">The method, for example <c>POST</c>.</param>
    /// <param name="path">The path and query.</param>
    /// <param name="body">A string is sent unchanged as JSON. <see cref="HttpContent"/> is sent unchanged. Other values are serialised.
    /// Null sends no body.</param>
    /// <param name="headers">Further headers, which are not validated.</param>
    /// <exception cref="TimeoutException">The server did not respond completely within 100 seconds.</exception>
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
        using var response = await client.SendAsync(request).WaitAsync(AnswerPatience);
        var read = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new TestAnswer((int)response.StatusCode, isJson ? JsonElement.Parse(read) : default, read, response.Headers);
    }

    /// <summary>Opens an event stream, and returns after its response headers. The reader owns the client from here on.</summary>
    /// <typeparam name="T">The type to which the test converts an event.</typeparam>
    /// <param name="client">The client.</param>
    /// <param name="pathAndQuery">The path and query.</param>
    /// <param name="read">Converts an event.</param>
    /// <param name="lastEventId">The position to resume after. Null for none.</param>
    /// <param name="isWanted">Selects the events to read. Default: null, which reads all.</param>
    /// <exception cref="InvalidOperationException">The server refused the stream. The message contains its response.</exception>
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

    /// <summary>Opens an event stream with a custom request. The reader owns the client from here on.</summary>
    /// <typeparam name="T">The type to which the test converts an event.</typeparam>
    /// <param name="client">The client.</param>
    /// <param name="request">The request.</param>
    /// <param name="read">Converts an event.</param>
    /// <param name="isWanted">Selects the events to read. Default: null, which reads all.</param>
    /// <exception cref="InvalidOperationException">The server refused the stream. The message contains its response.</exception>
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
