using System.Text;
using System.Text.Json;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Requests;

/// <summary>
/// Generates requests from a seed. It learns from answers: fields that problems name, to get past the first check, and ids, to use one
/// user's ids in requests of another.
/// </summary>
internal sealed class FuzzMaker(int seed, IReadOnlyDictionary<string, IReadOnlyList<string>> tokens)
{
    private const int MaxKnown = 300;
    private const int MaxFields = 40;

    private static readonly string[] Paths =
    [
        "1",
        "2",
        "0",
        "-1",
        "99999999999999999999",
        "abc",
        "%00",
        "%2F",
        "..",
        "%2e%2e",
        "a%2Fb",
        "%ED%A0%BD",
        "%FF",
        "%F0%9F%90%A6",
        "alice",
        "bob",
        "letters",
        "things",
        "items",
        "status",
        "a/renew",
        "a/b/take",
        "a/handoff",
        "%C3%BCnal",
        "a%20b",
        "'",
        "%0d%0a",
        "remarks",
        "-3",
        "01",
        "wishlists",
        "*",
        "a|b",
        "%5C",
        "%25",
        "~",
    ];

    private static readonly string[] QueryNames =
    [
        "topic",
        "after",
        "limit",
        "prefix",
        "user",
        "lastEventId",
        "device",
        "deviceId",
        "echo",
        "presence",
        "conflate",
        "ticket",
        "from",
        "to",
        "position",
        "schema",
        "variant",
        "search",
        "sort",
        "page",
        "branchId",
        "token",
        "access_token",
        "id",
        "view",
        "collection",
        "q",
    ];

    private static readonly string[] QueryValues =
    [
        "",
        "1",
        "0",
        "-1",
        "99999999999999999999",
        "1e3",
        "true",
        "TRUE",
        "a",
        "a/b",
        "**",
        "*",
        "a/**",
        "users/alice",
        "users/bob/**",
        "dunlin/access",
        "leases/a",
        "%00",
        "%ED%A0%BD",
        "%FF",
        "%",
        "%zz",
        "%2e%2e",
        "00000001-1",
        "ffffffff-9223372036854775807",
        "00000000-0",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00+02:00",
        "2026-03-01T00:00:00%2B0200",
        "2026-02-30T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "ordinary",
        "customerName",
        "-serviceNo",
        "%F0%9F%90%A6",
        "%E2%80%8B",
        "' OR 1=1 --",
        "%25",
        "a%0d%0ab",
    ];

    private static readonly (string Name, string[] Values)[] HeaderValues =
    [
        (
            "Last-Event-ID",
            ["00000001-1", "urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4eb", "", "x", "ffffffff-9223372036854775807", "\u00e9", "0-0"]
        ),
        ("If-Match", ["*", "W/\"622\"", "\"1\"", "\"", "\"a\", \"b\"", "1", "", "\"99999999999999999999\"", "W/", "\"\u00e9\""]),
        ("If-None-Match", ["*", "\"1\"", "x"]),
        (
            "Authorization",
            ["Basic YTpi", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30.", "Digest x", "", "Bearer \u00e9"]
        ),
        ("Range", ["bytes=0-", "bytes=9-1", "bytes=0-0,2-3", "x", "bytes=99999999999999999999-"]),
        ("Origin", ["https://evil.example", "null", "", "http://"]),
        ("Cookie", ["dunlin_session=x", "dunlin_session=", "=", "a=b; dunlin_session=\"x\"", "dunlin_session=x.y"]),
        ("Accept", ["text/event-stream", "application/xml", "*/*;q=0", "x"]),
        ("Accept-Encoding", ["br", "identity;q=0, *;q=0", "x"]),
        ("Content-Encoding", ["gzip", "br", "x"]),
        ("Dunlin-Connection", ["x", "\u00e9", "../.."]),
        ("Dunlin-Device", ["fuzz-1", "fuzz-2", "x y", "\u00e9", ""]),
        ("Dunlin-Lease", ["aaaaaaaaaaaa", "x", "\u00e9", ",,,", ""]),
        ("Idempotency-Key", ["k1", "", "\u00e9", "k\u0007"]),
        ("Sec-Fetch-Site", ["cross-site", "same-origin", "x"]),
        ("X-HTTP-Method-Override", ["DELETE"]),
        ("X-Forwarded-For", ["1.2.3.4", "x, y", "::1"]),
        ("X-Replicache-RequestID", ["x"]),
        ("Upgrade", ["websocket"]),
    ];

    private static readonly string[] ContentTypes =
    [
        "application/json; charset=utf-8",
        "application/json; charset=utf-16",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "x",
        "",
        "application/vnd.x+json",
        "application/json;",
    ];

    // Valid bodies for addresses whose fields cannot be learned from answers.
    private static readonly Dictionary<string, string> Templates = new(StringComparer.Ordinal)
    {
        ["POST /dunlin/v1/events"] =
            """[{"topic":"a/b","type":"x","data":{"n":[1,"a"]},"transient":false,"idempotencyKey":"k1"},{"topic":"a/b","type":"y","data":null}]""",
        ["PUT /dunlin/v1/leases/{**path}"] = """{"leaseId":"aaaaaaaaaaaa","seconds":30,"wait":true}""",
        ["POST /dunlin/v1/leases/{**path}"] = """{"leaseId":"aaaaaaaaaaaa","fence":1,"seconds":30}""",
        ["POST /dunlin/v1/revocations"] = """{"userId":"eve","sessionId":"s","before":"2026-03-01T00:00:00Z","renew":true,"reason":"x"}""",
        ["POST /api/v1/replicache/push"] =
            """{"pushVersion":1,"clientGroupID":"g","profileID":"p","schemaVersion":"1","mutations":[{"clientID":"c","id":1,"name":"createList","args":{"id":"l1","title":"x"},"timestamp":1}]}""",
        ["POST /api/v1/replicache/pull"] =
            """{"pullVersion":1,"clientGroupID":"g","profileID":"p","schemaVersion":"1","cookie":{"order":1,"at":"00000001-1","of":"x"}}""",
        ["POST /api/v1/sync/push/{collection}"] =
            """[{"newDocumentState":{"id":"d1","wishlist_id":"w1","name":"x","title":"x","quantity":1,"_deleted":false},"assumedMasterState":{"id":"d1"}}]""",
        ["PATCH /api/warranty/cases/{id}"] =
            """{"updates":{"remarks":"x","cost":"12.50"},"version":1,"leases":{"remarks":"aaaaaaaaaaaa"}}""",
        ["POST /api/v1/files/delete"] = """{"files":[{"file_id":"x","lease":"aaaaaaaaaaaa"}]}""",
        ["POST /api/calendar/events"] = """{"title":"x","start":"2030-01-02T09:00:00Z","end":"2030-01-02T10:00:00Z","deviceId":"fuzz-1"}""",
        ["POST /api/timer/start"] = """{"mode":"normal","taskTitle":"x","deviceId":"fuzz-1"}""",
    };

    private readonly List<string> _known = ["alice", "bob", "1", "2", "letters"];
    private readonly Dictionary<string, List<string>> _fields = new(StringComparer.Ordinal);

    public FuzzRequest Next(int number, FuzzEndpoint endpoint)
    {
        var random = new Random(unchecked((seed * 397) ^ number));
        var method = random.Next(20) switch
        {
            0 => "HEAD",
            1 => "OPTIONS",
            2 when random.Next(4) == 0 => "BREW",
            3 when random.Next(4) == 0 => "PUT",
            _ => endpoint.Method,
        };
        var request = new FuzzRequest(number, endpoint, method, PathOf(endpoint, random) + QueryOf(random));
        AddHeaders(request, random);
        if (method is "POST" or "PUT" or "PATCH" || random.Next(20) == 0)
            AddBody(request, endpoint, random);
        return request;
    }

    /// <summary>Learns fields and ids from an answer.</summary>
    public void Learn(FuzzEndpoint endpoint, int status, string body)
    {
        try
        {
            using var answer = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 1_000 });
            if (status >= 400)
                LearnField(endpoint, answer.RootElement);
            else
                LearnIds(answer.RootElement, 0);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Nothing to learn. Other checks decide whether the answer is valid.
        }
    }

    private void LearnField(FuzzEndpoint endpoint, JsonElement problem)
    {
        if (
            problem.ValueKind != JsonValueKind.Object
            || !problem.TryGetProperty("field", out var field)
            || field.GetString() is not { Length: > 0 and < 60 } name
            || !problem.TryGetProperty("code", out var code)
            || code.GetString() == "unknown_field"
            || name.Contains('\\', StringComparison.Ordinal)
        )
            return;
        if (!_fields.TryGetValue(endpoint.ToString(), out var fields))
            _fields.Add(endpoint.ToString(), fields = []);
        if (!fields.Contains(name) && fields.Count < MaxFields)
            fields.Add(name);
    }

    private void LearnIds(JsonElement element, int depth)
    {
        if (depth > 4 || _known.Count >= MaxKnown)
            return;
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray().Take(5))
                LearnIds(item, depth + 1);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
            {
                var text = member.Value.ValueKind switch
                {
                    JsonValueKind.String => member.Value.GetString(),
                    JsonValueKind.Number => member.Value.GetRawText(),
                    _ => null,
                };
                if (
                    text is { Length: > 0 and < 100 }
                    && (member.Name.EndsWith("id", StringComparison.OrdinalIgnoreCase) || member.Name is "position" or "version" or "token")
                    && !_known.Contains(text)
                )
                    _known.Add(text);
                LearnIds(member.Value, depth + 1);
            }
        }
    }

    private string PathOf(FuzzEndpoint endpoint, Random random)
    {
        var path = new StringBuilder();
        foreach (var part in endpoint.Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path.Append('/');
            if (!part.Contains('{', StringComparison.Ordinal))
                path.Append(part);
            else if (random.Next(30) == 0)
                path.Append(new string('a', random.Next(2) == 0 ? 300 : 5_000));
            else
                path.Append(
                    random.Next(2) == 0 ? Uri.EscapeDataString(_known[random.Next(_known.Count)]) : Paths[random.Next(Paths.Length)]
                );
        }
        return path.Length == 0 ? "/" : path.ToString();
    }

    private string QueryOf(Random random)
    {
        var count = random.Next(3) == 0 ? 0 : random.Next(4);
        var query = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var value = random.Next(20) switch
            {
                0 => new string('x', 3_000),
                < 5 => Uri.EscapeDataString(_known[random.Next(_known.Count)]),
                _ => QueryValues[random.Next(QueryValues.Length)],
            };
            query.Append(i == 0 ? '?' : '&').Append(QueryNames[random.Next(QueryNames.Length)]).Append('=').Append(value.Replace(' ', '+'));
        }
        return query.ToString();
    }

    private void AddHeaders(FuzzRequest request, Random random)
    {
        var users = tokens.Keys.Order(StringComparer.Ordinal).ToList();
        if (random.Next(8) != 0 && users[random.Next(users.Count)] is var user && tokens[user].Count > 0)
        {
            request.User = user;
            request.Headers.Add(("Authorization", "Bearer " + tokens[user][random.Next(tokens[user].Count)]));
        }
        if (random.Next(2) == 0)
            request.Headers.Add(("Dunlin-Device", "fuzz-1"));
        for (var i = random.Next(4) == 0 ? random.Next(4) : 0; i > 0; i--)
        {
            var (name, values) = HeaderValues[random.Next(HeaderValues.Length)];
            if (request.Headers.Exists(header => header.Name == name) || (name == "Authorization" && request.User is not null))
                continue;
            request.Headers.Add((name, random.Next(15) == 0 ? new string('x', 4_000) : values[random.Next(values.Length)]));
        }
    }

    private void AddBody(FuzzRequest request, FuzzEndpoint endpoint, Random random)
    {
        request.Headers.Add(("Content-Type", random.Next(15) == 0 ? ContentTypes[random.Next(ContentTypes.Length)] : "application/json"));
        request.IsChunked = random.Next(10) == 0;
        var json =
            Templates.TryGetValue(endpoint.ToString(), out var template) && random.Next(4) != 0
                ? JsonFuzz.Parse(template)
                : JsonFuzz.Parse("{}");
        foreach (var field in _fields.GetValueOrDefault(endpoint.ToString()) ?? [])
        {
            if (random.Next(3) != 0)
                json.Set(field, JsonFuzz.Any(random, _known));
        }
        for (var i = random.Next(3); i > 0; i--)
            json.Mutate(random, _known);
        var text = json.ToString();
        var body = Encoding.UTF8.GetBytes(text);
        request.Body = random.Next(25) switch
        {
            0 => body[..random.Next(body.Length + 1)],
            1 => [0xef, 0xbb, 0xbf, .. body],
            2 => Encoding.Unicode.GetBytes(text),
            3 => [.. body, 0xff],
            4 => Encoding.UTF8.GetBytes(text.Replace("a", "\u0000", StringComparison.Ordinal)),
            5 => [],
            _ => body,
        };
    }
}
