using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Web;
using Dunlin.Client.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Client.Tests.Scenarios;

/// <summary>Plays the server of one scenario and drives the client on virtual time.</summary>
internal sealed class ScenarioRun : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly ScriptedServer _server = new();
    private readonly DunlinClient _client;
    private readonly Dictionary<string, string> _chosen = new(StringComparer.Ordinal);
    private readonly Queue<ScriptedRequest> _open = new();
    private readonly Queue<JsonElement> _tokens;
    private Reader? _reader;
    private ScriptedBody? _body;
    private Task<PublishResult>? _publishing;
    private Task<ClientLease?>? _acquiring;
    private Task? _releasing;
    private LeaseHolder? _holder;
    private ClientLease? _lease;
    private int _seenState;

    public ScenarioRun(JsonElement scenario)
    {
        var random = scenario.TryGetProperty("random", out var given) ? given.GetDouble() : 1;
        _tokens = new Queue<JsonElement>(scenario.TryGetProperty("tokens", out var tokens) ? tokens.EnumerateArray() : []);
        var options = new DunlinClientOptions
        {
            Address = new Uri("http://server.test"),
            User = scenario.TryGetProperty("user", out var user) ? user.GetString() : null,
            GetToken = tokens.ValueKind == JsonValueKind.Array ? _ => new ValueTask<string?>(NextToken()) : null,
            RequestTimeout = Timeout.InfiniteTimeSpan,
            // The scenarios describe one transport.
            FallsBackToLongPoll = false,
            TimeProvider = _time,
            NextRandom = () => random,
        };
        _client = new DunlinClient(options, new HttpClient(_server) { Timeout = Timeout.InfiniteTimeSpan });
    }

    public async Task StepAsync(JsonElement step)
    {
        var member = step.EnumerateObject().First();
        var value = member.Value;
        switch (member.Name)
        {
            case "subscribe":
                _reader = Reader.Start(_client, value.GetProperty("topics").EnumerateArray().Select(topic => topic.GetString()!));
                break;
            case "publish":
                var item = OutgoingEvent.FromJson(
                    Text(value, "topic"),
                    Text(value, "type"),
                    value.GetProperty("data").GetRawText(),
                    value.TryGetProperty("transient", out var transient) && transient.GetBoolean()
                );
                _publishing = _client.PublishAsync(item, value.TryGetProperty("idempotencyKey", out var key) ? key.GetString() : null);
                break;
            case "acquire":
                _acquiring = AcquireAsync(value);
                break;
            case "release":
                _releasing = _lease!.ReleaseAsync();
                break;
            case "request":
                await RequestAsync(value);
                break;
            case "answer":
                _open.Dequeue().Answer(Answer(value));
                break;
            case "open":
                _body = _open.Dequeue().Open();
                await _body.WhenDrainedAsync();
                break;
            case "refuse":
                _open.Dequeue().Refuse();
                break;
            case "hello":
                await _body!.SendAsync(Encoding.UTF8.GetBytes(Hello(value)));
                break;
            case "send":
                await _body!.SendAsync(Encoding.UTF8.GetBytes(value.GetString()!));
                break;
            case "sendBytes":
                foreach (var one in Encoding.UTF8.GetBytes(value.GetString()!))
                    await _body!.SendAsync([one]);
                break;
            case "end":
                _body!.End();
                break;
            case "cut":
                _body!.Break();
                break;
            case "advance":
                await WhenQuietAsync();
                _time.Advance(TimeSpan.FromMilliseconds(value.GetInt32()));
                break;
            case "state":
                await Wait.UntilAsync(() => HasReached(value), () => $"The states are {States()}");
                break;
            case "events":
                await EventsAsync(value);
                break;
            case "stopped":
                var error = await Assert.ThrowsAsync<DunlinClientException>(() => _reader!.Ended.WithinLimit());
                Compare(value, error.Problem);
                break;
            case "result":
                await ResultAsync(value);
                break;
            case "lease":
                await Wait.UntilAsync(() => LeaseIs(value), () => $"The lease: {_lease!.IsHeld}, {_lease.ValidFor}, {_lease.LostReason}");
                break;
            case "noRequest":
                await WhenQuietAsync();
                Assert.Equal(0, _server.Waiting);
                break;
            default:
                throw new InvalidOperationException($"'{member.Name}' is no step.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_reader is not null)
            await _reader.DisposeAsync();
        _lease?.MarkLost("unknown");
        if (_releasing is not null)
            await _releasing.WithinLimit();
        _client.Dispose();
    }

    public override string ToString() => $"States: {States()}; requests: {_server.Received}; timers: {_time.ActiveTimers}";

    private string States() =>
        string.Join(" > ", _reader?.States.Select(s => $"{NameOf(s.Status)}({s.Attempt}, {s.Delay}, {s.Problem?.Code})") ?? []);

    private string? NextToken()
    {
        if (!_tokens.TryDequeue(out var token))
            return null;
        return token.ValueKind == JsonValueKind.String ? token.GetString() : throw new InvalidOperationException("No token today.");
    }

    private async Task<ClientLease?> AcquireAsync(JsonElement value)
    {
        var options = new AcquireOptions { Duration = TimeSpan.FromSeconds(value.GetProperty("seconds").GetInt32()) };
        var resource = Text(value, "resource");
        if (value.GetProperty("wait").GetBoolean())
            return await _client.Leases.AcquireAsync(resource, options);
        var attempt = await _client.Leases.TryAcquireAsync(resource, options);
        _holder = attempt.Holder;
        return attempt.Lease;
    }

    /// <summary>Waits until each part of the client that has no open request waits for time, so that the clock may advance.</summary>
    private Task WhenQuietAsync() =>
        Wait.UntilAsync(
            () => _time.ActiveTimers >= ExpectedTimers(),
            () => $"{_time.ActiveTimers} of {ExpectedTimers()} timers are armed."
        );

    private int ExpectedTimers()
    {
        var count = 0;
        // The watch of a stream or of a request for one, or the delay of a wait.
        if (_reader is { Ended.IsCompleted: false, State.Status: not (ConnectionStatus.Closed or ConnectionStatus.SignedOut) })
            count++;
        if (_publishing is { IsCompleted: false } && !IsOpen("POST", "/events"))
            count++;
        if (_acquiring is { IsCompleted: false } && !IsOpen("PUT", ""))
            count++;
        // The expiry, and the next renewal.
        if (_lease is { LostReason: null })
            count += IsOpen("POST", "/renew") ? 1 : 2;
        return count;
    }

    private bool IsOpen(string method, string end) =>
        _open.Any(request => request.Method == method && request.Address.AbsolutePath.EndsWith(end, StringComparison.Ordinal));

    private async Task RequestAsync(JsonElement expected)
    {
        var request = await _server.NextAsync();
        _open.Enqueue(request);
        Assert.Equal(Text(expected, "method"), request.Method);
        Assert.Equal(Text(expected, "path"), request.Address.AbsolutePath);
        if (expected.TryGetProperty("query", out var query))
        {
            var values = HttpUtility.ParseQueryString(request.Address.Query);
            foreach (var member in query.EnumerateObject())
                Assert.Equal(member.Value.EnumerateArray().Select(v => v.GetString()), values.GetValues(member.Name));
        }
        if (expected.TryGetProperty("headers", out var headers))
        {
            foreach (var header in headers.EnumerateObject())
                Assert.Equal(header.Value.GetString(), request.Headers.GetValueOrDefault(header.Name));
        }
        var body = request.Body.Length > 0 ? JsonDocument.Parse(request.Body).RootElement : default;
        if (expected.TryGetProperty("body", out var members))
        {
            foreach (var member in members.EnumerateObject())
                Assert.Equal(member.Value.GetRawText(), body.GetProperty(member.Name).GetRawText());
        }
        var key = request.Headers.GetValueOrDefault("Idempotency-Key");
        if (expected.TryGetProperty("idempotencyKeyIs", out var exact))
            Assert.Equal(exact.GetString(), key);
        Chosen(expected, "idempotencyKey", key);
        Chosen(
            expected,
            "leaseId",
            (body.ValueKind == JsonValueKind.Object ? Nullable(body, "leaseId") : null) ?? request.Headers.GetValueOrDefault("Dunlin-Lease")
        );
    }

    private void Chosen(JsonElement expected, string kind, string? value)
    {
        if (!expected.TryGetProperty(kind, out var name))
            return;
        Assert.False(string.IsNullOrEmpty(value), $"The request has no {kind}.");
        var known = $"{kind} {name.GetString()}";
        Assert.Equal(_chosen.TryGetValue(known, out var before) ? before : value, value);
        _chosen[known] = value;
    }

    private static HttpResponseMessage Answer(JsonElement value)
    {
        var response = new HttpResponseMessage((HttpStatusCode)value.GetProperty("status").GetInt32());
        if (value.TryGetProperty("problem", out var problem))
            response.Content = new StringContent(problem.GetRawText(), Encoding.UTF8, "application/problem+json");
        else if (value.TryGetProperty("text", out var text))
            response.Content = new StringContent(text.GetString()!);
        if (value.TryGetProperty("headers", out var headers))
        {
            foreach (var header in headers.EnumerateObject())
            {
                response.Content?.Headers.Remove(header.Name == "Content-Type" ? header.Name : "Content-Language");
                if (!response.Headers.TryAddWithoutValidation(header.Name, header.Value.GetString()))
                    response.Content!.Headers.TryAddWithoutValidation(header.Name, header.Value.GetString());
            }
        }
        return response;
    }

    private static string Hello(JsonElement value)
    {
        var (connection, seconds) = (Text(value, "connectionId"), value.GetProperty("heartbeatSeconds").GetInt32());
        var position = value.GetProperty("position").GetString();
        var data = position is null
            ? JsonSerializer.Serialize(new { connectionId = connection, heartbeatSeconds = seconds })
            : JsonSerializer.Serialize(
                new
                {
                    connectionId = connection,
                    position,
                    heartbeatSeconds = seconds,
                }
            );
        var id = position is not null && value.GetProperty("withId").GetBoolean() ? $"id: {position}\n" : "";
        return $"{id}event: dunlin.hello\ncontrol: hello\ndata: {data}\n\n";
    }

    // A state may pass before the test looks: it counts if it came after the last state of the script.
    private bool HasReached(JsonElement expected)
    {
        var states = _reader!.States;
        for (var i = states.Count - 1; i >= 0 && (i > _seenState || i == states.Count - 1); i--)
        {
            if (!Matches(expected, states[i]))
                continue;
            _seenState = i;
            return true;
        }
        return false;
    }

    private static bool Matches(JsonElement expected, ConnectionState state) =>
        expected
            .EnumerateObject()
            .All(member =>
                member.Name switch
                {
                    "name" => member.Value.GetString() == NameOf(state.Status),
                    "connectionId" => member.Value.GetString() == state.ConnectionId,
                    "attempt" => member.Value.GetInt32() == state.Attempt,
                    "delayMs" => member.Value.GetDouble() == state.Delay.TotalMilliseconds,
                    "serverMandated" => member.Value.GetBoolean() == state.IsServerMandated,
                    "reason" => member.Value.GetString() == NameOf(state.SignedOutReason),
                    "problem" => state.Problem is { } problem && Difference(member.Value, problem) is null,
                    _ => throw new InvalidOperationException($"'{member.Name}' is no member of a state."),
                }
            );

    private static void Compare(JsonElement expected, ClientProblem problem) => Assert.Null(Difference(expected, problem));

    private static string? Difference(JsonElement expected, ClientProblem problem)
    {
        foreach (var member in expected.EnumerateObject())
        {
            var actual = member.Name switch
            {
                "kind" => NameOf(problem.Kind),
                "code" => problem.Code,
                "status" => problem.Status?.ToString(CultureInfo.InvariantCulture),
                "topic" => problem.Topic,
                "field" => problem.Field,
                _ => throw new InvalidOperationException($"'{member.Name}' is no member of a problem."),
            };
            if (member.Value.ToString() != actual)
                return $"{member.Name} is '{actual}', not '{member.Value}'";
        }
        return null;
    }

    private async Task EventsAsync(JsonElement expected)
    {
        foreach (var wanted in expected.EnumerateArray())
        {
            var item = await _reader!.NextAsync();
            Assert.Equal(Nullable(wanted, "position"), item.Position?.ToString());
            Assert.Equal(Nullable(wanted, "reset"), item.ResetReason);
            if (item.IsReset)
                continue;
            Assert.Equal((Nullable(wanted, "type"), Nullable(wanted, "topic")), (item.Type, item.Topic));
            Assert.True(JsonElement.DeepEquals(wanted.GetProperty("data"), JsonDocument.Parse(item.Data).RootElement), item.ToString());
        }
        Assert.False(_reader!.TryNext(out var more), $"Another event: {more}");
    }

    private async Task ResultAsync(JsonElement expected)
    {
        if (expected.TryGetProperty("error", out var problem))
        {
            var error = await Assert.ThrowsAsync<DunlinClientException>(() => _publishing!.WithinLimit());
            Compare(problem, error.Problem);
        }
        else if (expected.TryGetProperty("positions", out var positions))
        {
            var result = await _publishing!.WithinLimit();
            Assert.Equal(positions.EnumerateArray().Select(p => p.GetString()), result.Positions.Select(p => p?.ToString()));
        }
        else
        {
            _lease = await _acquiring!.WithinLimit();
            Assert.Equal(expected.GetProperty("acquired").GetBoolean(), _lease is not null);
            Assert.Equal(Nullable(expected, "holder"), _holder?.UserId);
            if (_lease is not null)
                Assert.Equal(expected.GetProperty("fence").GetInt64(), _lease.Fence);
        }
    }

    private bool LeaseIs(JsonElement expected) =>
        expected.GetProperty("held").GetBoolean() == _lease!.IsHeld
        && (!expected.TryGetProperty("validForMs", out var left) || left.GetDouble() == _lease.ValidFor.TotalMilliseconds)
        && (!expected.TryGetProperty("reason", out var reason) || reason.GetString() == _lease.LostReason);

    private static string Text(JsonElement value, string name) => value.GetProperty(name).GetString()!;

    private static string? Nullable(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) ? member.GetString() : null;

    private static string? NameOf<T>(T value) =>
        value?.ToString() is { Length: > 0 } name ? char.ToLowerInvariant(name[0]) + name[1..] : null;
}
