using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.Worlds.Tests.Histories;

namespace Dunlin.Worlds.Tests.Load;

/// <summary>An answer to a write, or the lack of one.</summary>
/// <param name="Status">The status; null without a complete answer.</param>
/// <param name="Body">The body.</param>
/// <param name="WasSent">Whether the server may have received the request.</param>
internal sealed record Answer(int? Status, JsonElement Body, bool WasSent)
{
    public string? Code => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("code", out var code) ? code.GetString() : null;
}

/// <summary>
/// Keeps the clients of one user for the nodes. A user changes to another node after some requests, or when a node does not answer. Not
/// thread-safe.
/// </summary>
internal sealed class ApiPool(string user, IReadOnlyList<Func<Uri>> addresses, Random random) : IDisposable
{
    private const int Stay = 25;

    private readonly Dictionary<Uri, Api> _apis = [];
    private int _current = random.Next(addresses.Count);
    private bool _isLeft;

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        // The last request had no answer, or a refusal that another node may not give.
        if (_isLeft)
            _current = (_current + 1) % addresses.Count;
        else if (random.Next(Stay) == 0)
            _current = random.Next(addresses.Count);
        var uri = addresses[_current]();
        if (!_apis.TryGetValue(uri, out var api))
            _apis.Add(uri, api = new Api(uri, user));
        var answer = await api.SendAsync(method, path, body, headers);
        _isLeft = answer.Status is null or 503;
        return answer;
    }

    public void Dispose()
    {
        foreach (var api in _apis.Values)
            api.Dispose();
    }
}

/// <summary>Sends requests to one node, as one user, and waits at most two seconds for an answer. Thread-safe.</summary>
internal sealed class Api : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly long Begun = TimeProvider.System.GetTimestamp();

    public Api(Uri address, string user)
    {
        User = user;
        Client = TestClients.New(address, Token(user));
    }

    /// <summary>Gets the time of all histories. It is monotonic.</summary>
    public static TimeSpan Now => TimeProvider.System.GetElapsedTime(Begun);

    public string User { get; }

    public HttpClient Client { get; }

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = JsonContent.Create(body);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            using var response = await Client.SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            var isJson = text.StartsWith('{');
            return new Answer((int)response.StatusCode, isJson ? JsonElement.Parse(text) : default, true);
        }
        // HttpClient passes a SocketException on if the peer resets a connection that was just made.
        catch (Exception error)
            when (error is SocketException or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError })
        {
            return new Answer(null, default, false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
        {
            return new Answer(null, default, true);
        }
    }

    /// <summary>Adds the outcome of a write to the history, unless it was refused.</summary>
    /// <returns>The outcome; null if the server did not receive the request.</returns>
    public static Outcome? Conclude(History history, string id, Answer answer)
    {
        switch (answer)
        {
            case { Status: 200 }:
                history.Acknowledge(id, Place.Parse(answer.Body.GetProperty("positions")[0].GetString()!));
                return Outcome.Acknowledged;
            case { Status: null }:
                return answer.WasSent ? Outcome.Unknown : null;
            case { Code: "outcome_unknown" }:
                return Outcome.Unknown;
            case { Status: 500 or 401 or 403 or 404 or 400 }:
                history.Fault($"{answer.Status} {answer.Body}");
                return Outcome.Unknown;
            default:
                return Outcome.Refused;
        }
    }

    public void Dispose() => Client.Dispose();

    // Valid for a day in both directions, because clocks of nodes differ in some worlds.
    private static string Token(string user)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        const int Day = 24 * 3_600;
        return Mint.Token(
            user,
            [("publish", "**"), ("subscribe", "**"), ("hold", "**")],
            ("roles", new[] { "admin" }),
            ("iat", now - Day),
            ("exp", now + Day)
        );
    }
}
