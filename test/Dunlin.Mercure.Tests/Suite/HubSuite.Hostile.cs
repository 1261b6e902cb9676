using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Mercure.Tests.Suite;

/// <content>Input that is wrong on purpose: characters, patterns, amounts, forged events and refused tokens.</content>
public abstract partial class HubSuite
{
    /// <summary>Each control (C0, DEL, C1) and each format character of Unicode, as a text.</summary>
    private static readonly string[] Invisible =
    [
        .. Enumerable
            .Range(0, 0x110000)
            .Where(Rune.IsValid)
            .Select(static code => new Rune(code))
            .Where(static rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format)
            .Select(static rune => rune.ToString()),
    ];

    /// <summary>The first and the last character of every other category. Surrogates have no UTF-8.</summary>
    private static readonly string[] Visible =
    [
        .. Enumerable
            .Range(0, 0x110000)
            .Where(Rune.IsValid)
            .Select(static code => new Rune(code))
            .GroupBy(static rune => Rune.GetUnicodeCategory(rune))
            .Where(static group => group.Key is not (UnicodeCategory.Control or UnicodeCategory.Format))
            .SelectMany(static group => (string[])[group.First().ToString(), group.Last().ToString()]),
    ];

    [Fact]
    public async Task Each_control_and_format_character_is_refused_in_each_text()
    {
        Assert.Equal(65, Invisible.Count(static text => char.IsControl(text, 0)));
        Assert.All(["\u00ad", "\u200b", "\u202e", "\ufeff", "\U000E0001", "\U000E007F"], text => Assert.Contains(text, Invisible));
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=*");
        var publisher = Tokens.Publisher(hub.Time);
        foreach (var character in Invisible)
        {
            // At the begin, in the middle and at the end: parsers of URLs remove some of them there.
            foreach (var text in (string[])[$"{character}a", $"a{character}b", $"a{character}"])
            {
                await RefusedAsync(hub.PublishAsync(publisher, ("topic", text)));
                await RefusedAsync(hub.PublishAsync(publisher, ("topic", "a"), ("id", text)));
                await RefusedAsync(hub.PublishAsync(publisher, ("topic", "a"), ("type", text)));
                await RefusedAsync(hub.GetAsync($"{HubNodes.Path}?match={Encode(text)}"));
            }
            await RefusedAsync(hub.PublishAsync(publisher, ("topic", "a"), ("topic", $"https://example.com/{character}")));
            await RefusedAsync(hub.GetAsync($"{HubNodes.Path}?match_exact=a&match_urlpattern={Encode($"/a{character}/:id")}"));
            await RefusedAsync(hub.GetAsync($"{HubNodes.Path}?match=a", Tokens.Reader(hub.Time, "a", $"a{character}")), 401);
        }
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("marker", (await reader.NextAsync()).Data);

        async Task RefusedAsync(Task<HttpResponseMessage> sent, int status = 400)
        {
            using var answer = await sent;
            await IsAsync((HttpStatusCode)status, answer);
        }
    }

    [Fact]
    public async Task Characters_of_each_other_category_are_kept_byte_for_byte()
    {
        Assert.True(Visible.Length > 40);
        await using var hub = await StartAsync();
        for (var i = 0; i < Visible.Length; i++)
        {
            var text = $"x{Visible[i]}y";
            await hub.PublishAsync(("topic", text), ("topic", "all"), ("id", $"{text}{i}"), ("type", text), ("data", $"{text}{i}"));
        }
        await using var reader = await hub.OpenAsync($"match=all&last_event_id=earliest");
        var updates = await reader.NextAsync(Visible.Length);
        Assert.Equal(Visible.Select(static (c, i) => ($"x{c}y{i}", $"x{c}y")), updates.Select(one => (one.EventId!, one.EventType)));
        Assert.Equal(updates.Select(static one => one.EventId), updates.Select(static one => one.Data));
        for (var i = 0; i < Visible.Length; i += 5)
        {
            var text = $"x{Visible[i]}y";
            await using var exact = await hub.OpenAsync($"match={Encode(text)}&last_event_id=earliest");
            Assert.Equal($"{text}{i}", (await exact.NextAsync()).Data);
        }
    }

    [Fact]
    public async Task Matchers_of_64_KiB_are_refused_over_the_limit_and_served_below_it()
    {
        await using var hub = await StartAsync();
        (string Form, bool IsServed)[] forms =
        [
            (Fill(static i => $"match={i:x}"), false),
            (Fill(static i => $"n{i:x}"), false),
            (Fill(static i => $"match=a&match=b"), true),
            (Fill(static i => $"match={new string('x', 2_044)}{i:D4}"), true),
            (Fill(static i => $"match_urlpattern={Encode(Nested(i, 700))}"), true),
        ];
        foreach (var (form, isServed) in forms)
        {
            if (!isServed)
            {
                using var answer = await hub.SendAsync(hub.Second, QueryRequest(form));
                await IsAsync(HttpStatusCode.BadRequest, answer);
                continue;
            }
            using var client = hub.Second.Client();
            await using var reader = await Dunlin.TestKit.TestClients.OpenStreamAsync(
                client,
                QueryRequest(form + "&match=marker"),
                static item => item.Data
            );
            await hub.PublishAsync(("topic", "/" + new string('a', 2_000)), ("data", "wrong"));
            await hub.PublishAsync(("topic", "marker"), ("data", "1"));
            Assert.Equal("1", await reader.NextAsync());
        }
    }

    private static string Fill(Func<int, string> pair)
    {
        var form = new StringBuilder();
        for (var i = 0; form.Length < 64 * 1024; i++)
            form.Append(form.Length == 0 ? "" : "&").Append(pair(i));
        return form.ToString();
    }

    // A pattern that has more ways to match a run of one letter than a backtracking matcher can try.
    private static string Nested(int variant, int length)
    {
        var unit = (variant % 4) switch
        {
            0 => "((?:a+)+)",
            1 => "((?:a|a)*)",
            2 => "{:n#a}*",
            _ => "((?:a?){3})",
        };
        var text = new StringBuilder("/");
        for (var i = 0; text.Length + unit.Length + 8 < length; i++)
            text.Append(unit.Replace("n#", $"n{i}_", StringComparison.Ordinal));
        return text.Append(CultureInfo.InvariantCulture, $"b{variant}").ToString();
    }

    public static TheoryData<string> Explosions =>
        [
            "/((?:(?:a+)+)+)b",
            "/((?:a*)*)((?:a*)*)((?:a*)*)b",
            "/((?:a|aa|aaa|aaaa)+)b",
            "/((?:a?){1000}a{1000})",
            "/((?:a{1,1000}){1,1000})",
            "/((?:(?:a{1,99}){1,99}){1,99})",
            "/(.*.*.*.*.*.*.*.*.*.*b)",
            "/" + string.Concat(Enumerable.Repeat("(?:(?:", 200)) + "a" + string.Concat(Enumerable.Repeat(")*)*", 200)),
            "/(" + new string('(', 900) + new string(')', 900) + ")",
            "/(" + string.Join('|', Enumerable.Repeat("a+", 600)) + ")b",
            "/" + string.Concat(Enumerable.Repeat("*", 2_000)),
            "/" + string.Concat(Enumerable.Range(0, 300).Select(static i => $":n{i}*")) + "b",
            "/" + new string('{', 1_000) + new string('}', 1_000),
        ];

    [Theory]
    [MemberData(nameof(Explosions))]
    public async Task A_pattern_that_explodes_is_refused_or_matched_at_bounded_cost(string pattern)
    {
        await using var hub = await StartAsync();
        using var token = await hub.PublishAsync(
            Tokens.Sign(Tokens.Claims(hub.Time, Tokens.Detail("publish", [pattern], type: "urlpattern"))),
            ("topic", "/" + new string('a', 2_000))
        );
        Assert.True(token.StatusCode is HttpStatusCode.OK or HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized);
        using var answer = await hub.GetAsync($"{HubNodes.Path}?match=marker&match_urlpattern={Encode(pattern)}");
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest, $"{(int)answer.StatusCode}");
        await using var reader = await hub.OpenAsync("match=marker");
        await hub.PublishAsync(("topic", "/" + new string('a', 2_000)), ("data", "wrong"));
        await hub.PublishAsync(("topic", "marker"), ("data", "1"));
        Assert.Equal("1", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task A_forged_subscription_event_is_refused_and_changes_no_list()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        await using var watcher = await hub.OpenAsync("match=*", token);
        var own = JsonDocument.Parse((await watcher.NextAsync()).Data).RootElement;
        var id = own.GetProperty("id").GetString()!;
        var ended = own.ToString().Replace("\"active\":true", "\"active\":false", StringComparison.Ordinal);
        Assert.NotEqual(own.ToString(), ended);
        var publisher = Tokens.Publisher(hub.Time);
        foreach (
            var topic in (string[])
                [
                    id,
                    HubNodes.Url + id[HubNodes.Path.Length..],
                    "//hub.example.com" + id,
                    "http://evil.example:8080" + id,
                    "https:" + id,
                    "foo:" + id,
                    "ws://user:pass@x" + id + "?query#fragment",
                    "  " + id,
                    id.Replace('/', '\\'),
                    "/x/.." + id,
                    "/x/%2E%2e" + id,
                    "/./" + id[1..],
                    id.Replace("mercure", "%6Der%63ure", StringComparison.Ordinal),
                    id.Replace("mercure", "%256Dercure/%2E%2E/mercure", StringComparison.Ordinal),
                    "subscriptions/../mercure/subscriptions/exact/a/b",
                ]
        )
        {
            using var first = await hub.PublishAsync(publisher, ("topic", topic), ("data", ended), ("private", "on"));
            await IsAsync(HttpStatusCode.BadRequest, first);
            using var alternate = await hub.PublishAsync(publisher, ("topic", "a"), ("topic", topic), ("data", ended));
            await IsAsync(HttpStatusCode.BadRequest, alternate);
        }
        using var type = await hub.PublishAsync(publisher, ("topic", "a"), ("type", "mercure"), ("data", ended));
        await IsAsync(HttpStatusCode.BadRequest, type);

        // These may be published, but are updates of their publisher: without the type, the address and the header of an event of the hub.
        await hub.PublishAsync(("topic", "a"), ("type", "mercure.subscription"), ("data", ended), ("node", "x"), ("private", "on"));
        await hub.PublishAsync(("topic", "a"), ("type", "Mercure"), ("data", $"x\r\n\r\nevent: mercure\r\ndata: {ended}\r\n\r\n"));
        foreach (var update in await watcher.NextAsync(2))
            Assert.NotEqual("mercure", update.EventType);
        var list = (await JsonAsync(await hub.GetAsync(Root, token))).GetProperty("subscriptions");
        Assert.Equal(own.ToString(), Assert.Single(list.EnumerateArray()).ToString());
        Assert.True(watcher.IsOpen);
    }

    [Fact]
    public async Task A_matcher_with_separators_cannot_forge_another_subscription()
    {
        await using var hub = await StartAsync(On);
        var token = Watcher(hub.Time);
        string[] matchers = ["a/urn:uuid:1", "a\",\"active\":false,\"x\":\"", "%2Fexact%2Fb", "?#&=+ ;", "\\", "ü/😀"];
        foreach (var matcher in matchers)
        {
            await using var reader = await hub.OpenAsync($"match={Encode(matcher)}");
            var list = await JsonAsync(await hub.GetAsync($"{Root}/exact/{Encode(matcher)}", token));
            var one = Assert.Single(list.GetProperty("subscriptions").EnumerateArray());
            Assert.Equal(matcher, one.GetProperty("match").GetString());
            Assert.True(one.GetProperty("active").GetBoolean());
            var id = one.GetProperty("id").GetString()!;
            Assert.Equal($"{Root}/exact/{Encode(matcher)}/{Encode(one.GetProperty("subscriber").GetString()!)}", id);
            Assert.Equal(one.ToString(), (await JsonAsync(await hub.GetAsync(id, token))).ToString());
        }
    }

    [Fact]
    public async Task Streams_over_a_limit_are_refused_with_429()
    {
        await using var hub = await StartAsync();
        var token = Tokens.Reader(hub.Time, "a");
        var limit = new Dunlin.Streams.EventStreamOptions().MaxPerUser;
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < limit; i++)
            streams.Add(await hub.GetAsync(HubNodes.Path + "?match=a", token));
        Assert.All(streams, static stream => Assert.Equal(HttpStatusCode.OK, stream.StatusCode));
        using var refused = await hub.GetAsync(HubNodes.Path + "?match=a", token);
        await IsAsync(HttpStatusCode.TooManyRequests, refused);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Null(Header(refused, "WWW-Authenticate"));
        using var anonymous = await hub.GetAsync(HubNodes.Path + "?match=a");
        Assert.Equal(HttpStatusCode.OK, anonymous.StatusCode);
        streams.ForEach(static stream => stream.Dispose());
    }

    [Fact]
    public async Task Each_refusal_of_a_token_has_a_challenge_at_each_address()
    {
        await using var hub = await StartAsync(options => (options.Subscriptions, options.RequireToken) = (true, true));
        var expired = Tokens.Expiring(hub.Time, TimeSpan.Zero);
        (Func<HttpRequestMessage> Request, string Token)[] requests =
        [
            (static () => new(HttpMethod.Get, HubNodes.Path + "?match=a"), expired),
            (static () => new(HttpMethod.Head, HubNodes.Path + "?match=a"), expired),
            (static () => QueryRequest("match=a"), expired),
            (Publication, Tokens.Reader(hub.Time, "a")),
            (static () => new(HttpMethod.Get, Root), Tokens.Reader(hub.Time, "a")),
            (static () => new(HttpMethod.Get, Root + "/exact/a"), Tokens.Publisher(hub.Time)),
            (static () => new(HttpMethod.Get, Root + "/exact/a/b"), Tokens.Reader(hub.Time, Root, Root + "/exact/a")),
        ];
        foreach (var (create, insufficient) in requests)
        {
            await ChallengedAsync(create(), HttpStatusCode.Unauthorized, null);
            await ChallengedAsync(With(create(), "Bearer x"), HttpStatusCode.Unauthorized, "invalid_token");
            await ChallengedAsync(With(create(), $"Bearer {expired}"), HttpStatusCode.Unauthorized, "invalid_token");
            await ChallengedAsync(With(create(), $"Bearer {new string('x', 9_000)}"), HttpStatusCode.Unauthorized, "invalid_token");
            await ChallengedAsync(With(create(), "Bearer"), HttpStatusCode.BadRequest, "invalid_request");
            await ChallengedAsync(With(create(), "Basic YTpi"), HttpStatusCode.Unauthorized, null);
            if (insufficient != expired)
                await ChallengedAsync(With(create(), $"Bearer {insufficient}"), HttpStatusCode.Forbidden, "insufficient_scope");
        }

        static HttpRequestMessage Publication() =>
            new(HttpMethod.Post, HubNodes.Path)
            {
                Content = new StringContent("topic=a", new MediaTypeHeaderValue("application/x-www-form-urlencoded")),
            };

        static HttpRequestMessage With(HttpRequestMessage request, string value)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("Authorization", value));
            return request;
        }

        async Task ChallengedAsync(HttpRequestMessage request, HttpStatusCode status, string? error)
        {
            using var answer = await hub.SendAsync(hub.Second, request);
            await IsAsync(status, answer);
            var code = error is null ? "" : $"error=\"{error}\", ";
            Assert.Equal($"Bearer {code}resource_metadata=\"{Metadata}\"", Header(answer, "WWW-Authenticate"));
        }
    }

    // HttpClient would join them into one.
    [Fact]
    public async Task Several_authorization_headers_are_an_invalid_request()
    {
        await using var hub = await StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(hub.Second.Address.Host, hub.Second.Port);
        await using var stream = client.GetStream();
        var header = $"Authorization: Bearer {Tokens.Reader(hub.Time, "a")}\r\n";
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {HubNodes.Path}?match=a HTTP/1.1\r\nHost: {hub.Second.Address.Authority}\r\nConnection: close\r\n{header}{header}\r\n"
            )
        );
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("error=\"invalid_request\"", answer, StringComparison.Ordinal);
    }
}
