using System.Net;
using System.Text.Json;

namespace Dunlin.Mercure.Tests.Suite;

/// <content>Tokens, where they are presented, errors, CORS and metadata.</content>
public abstract partial class HubSuite
{
    private const string Metadata = "https://hub.example.com/.well-known/oauth-protected-resource/.well-known/mercure";

    [Fact]
    public async Task A_request_without_token_gets_a_challenge_without_error_code()
    {
        await using var hub = await StartAsync(options => options.RequireToken = true);
        using var publish = await hub.PublishAsync(null, ("topic", "a"));
        using var read = await hub.GetAsync(HubNodes.Path + "?match=a");
        foreach (var answer in (HttpResponseMessage[])[publish, read])
        {
            await IsAsync(HttpStatusCode.Unauthorized, answer);
            Assert.Equal($"Bearer resource_metadata=\"{Metadata}\"", Header(answer, "WWW-Authenticate"));
        }
    }

    public static TheoryData<string> Faults =>
        [
            "type",
            "none",
            "algorithm",
            "key",
            "expired",
            "no exp",
            "text exp",
            "not yet",
            "issuer",
            "no issuer",
            "audience",
            "no audience",
            "audiences",
            "detail",
            "match_type",
            "no topics",
            "limit",
            "garbage",
            "key in token",
        ];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_invalid_token_is_refused_with_401_invalid_token(string fault)
    {
        await using var hub = await StartAsync();
        var token = Faulty(fault, hub.Time);
        using var publish = await hub.PublishAsync(token, ("topic", "a"));
        using var read = await hub.GetAsync(HubNodes.Path + "?match=a", token);
        foreach (var answer in (HttpResponseMessage[])[publish, read])
        {
            await IsAsync(HttpStatusCode.Unauthorized, answer);
            Assert.Equal($"Bearer error=\"invalid_token\", resource_metadata=\"{Metadata}\"", Header(answer, "WWW-Authenticate"));
        }
    }

    private static string Faulty(string fault, TimeProvider time)
    {
        var good = Tokens.Detail("publish", ["*"]);
        var claims = Tokens.Claims(time, good, Tokens.Detail("subscribe", ["*"]));
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        switch (fault)
        {
            case "type":
                return Tokens.Sign(claims, typ: "JWT");
            case "none":
                return Tokens.Sign(claims, alg: "none");
            case "algorithm":
                return Tokens.Sign(claims, alg: "RS256");
            case "key":
                return Tokens.Sign(claims, secret: "another secret of more than 32 bytes");
            case "garbage":
                return "abc.def";
            case "key in token":
                return Tokens.Sign(
                    claims,
                    typ: "at+jwt\",\"jwk\":{\"kty\":\"oct\"},\"x\":\"",
                    secret: "another secret of more than 32 bytes"
                );
            case "expired":
                claims["exp"] = now;
                break;
            case "no exp":
                claims.Remove("exp");
                break;
            case "text exp":
                claims["exp"] = $"{now + 60}";
                break;
            case "not yet":
                claims["nbf"] = now + 1;
                break;
            case "issuer":
                claims["iss"] = Tokens.Issuer + "/";
                break;
            case "no issuer":
                claims.Remove("iss");
                break;
            case "audience":
                claims["aud"] = HubNodes.Url + "/";
                break;
            case "audiences":
                claims["aud"] = new[] { "x", "https://other.example" };
                break;
            case "no audience":
                claims.Remove("aud");
                break;
            case "detail":
                claims["authorization_details"] = new[] { good, new { type = Tokens.DetailType, actions = new[] { 1 } } };
                break;
            case "match_type":
                claims["authorization_details"] = new[] { good, Tokens.Detail("subscribe", ["a"], type: "regexp") };
                break;
            case "no topics":
                claims["authorization_details"] = new[] { good, Tokens.Detail("subscribe", []) };
                break;
            default:
                claims["authorization_details"] = Enumerable
                    .Repeat(
                        new
                        {
                            type = Tokens.DetailType,
                            actions = new[] { "x" },
                            topics = new[] { new { match = "a" } },
                        },
                        101
                    )
                    .ToArray();
                return Tokens.Sign(claims);
        }
        return Tokens.Sign(claims);
    }

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("AT+JWT")]
    [InlineData("application/at+jwt")]
    public async Task The_type_of_a_token_is_compared_without_case_and_prefix(string type)
    {
        await using var hub = await StartAsync();
        var claims = Tokens.Claims(hub.Time, Tokens.Detail("publish", ["*"]));
        claims["aud"] = new[] { "https://other.example", HubNodes.Url };
        using var answer = await hub.PublishAsync(Tokens.Sign(claims, type), ("topic", "a"));
        await IsAsync(HttpStatusCode.OK, answer);
    }

    [Fact]
    public async Task Keys_of_one_issuer_verify_no_token_of_another()
    {
        const string secret = "the secret of the other issuer, 32 bytes";
        await using var hub = await StartAsync(options =>
            options.Issuers.Add(new MercureIssuer { Issuer = "https://other.example", Secrets = { secret } })
        );
        var claims = Tokens.Claims(hub.Time, Tokens.Detail("publish", ["*"]));
        using var forged = await hub.PublishAsync(Tokens.Sign(claims, secret: secret), ("topic", "a"));
        await IsAsync(HttpStatusCode.Unauthorized, forged);
        claims["iss"] = "https://other.example";
        using var own = await hub.PublishAsync(Tokens.Sign(claims, secret: secret), ("topic", "a"));
        await IsAsync(HttpStatusCode.OK, own);
    }

    [Fact]
    public async Task Keys_of_readers_cannot_publish()
    {
        await using var hub = await StartAsync(options => options.Issuers[0].MayPublish = false);
        using var answer = await hub.PublishAsync(Tokens.Publisher(hub.Time), ("topic", "a"));
        await IsAsync(HttpStatusCode.Forbidden, answer);
    }

    [Fact]
    public async Task The_authorization_header_precedes_the_cookie_and_takes_any_case()
    {
        await using var hub = await StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, HubNodes.Path + "?match=a");
        request.Headers.Add("Cookie", $"__Secure-mercure_access_token={Tokens.Reader(hub.Time, "a")}");
        request.Headers.TryAddWithoutValidation("Authorization", "bEARER wrong");
        using var answer = await hub.SendAsync(hub.Second, request);
        await IsAsync(HttpStatusCode.Unauthorized, answer);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    public async Task A_malformed_authorization_header_is_an_invalid_request(string value)
    {
        await using var hub = await StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, HubNodes.Path + "?match=a");
        request.Headers.TryAddWithoutValidation("Authorization", value);
        using var answer = await hub.SendAsync(hub.Second, request);
        await IsAsync(HttpStatusCode.BadRequest, answer);
        Assert.Contains("error=\"invalid_request\"", Header(answer, "WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_may_present_its_token_as_a_cookie_but_never_in_the_address()
    {
        await using var hub = await StartAsync();
        var token = Tokens.Reader(hub.Time, "a");
        await using var reader = await hub.OpenAsync("match=a", cookie: $"x=y; __Secure-mercure_access_token={token}");
        await using var address = await hub.OpenAsync($"match=a&access_token={token}&authorization={token}");
        await hub.PublishAsync(("topic", "a"), ("private", "on"), ("data", "secret"));
        await hub.PublishAsync(("topic", "a"), ("data", "marker"));
        Assert.Equal("secret", (await reader.NextAsync()).Data);
        Assert.Equal("marker", (await address.NextAsync()).Data);
    }

    [Theory]
    [InlineData("Origin", "https://hub.example.com", true)]
    [InlineData("Referer", "https://hub.example.com/page?x", true)]
    [InlineData("Origin", "https://trusted.example", true)]
    [InlineData("Origin", "https://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Referer", "https://hub.example.com.evil.example/", false)]
    [InlineData("Accept", "text/plain", false)]
    public async Task Publishing_with_a_cookie_needs_a_trusted_origin(string header, string value, bool isAllowed)
    {
        await using var hub = await StartAsync(options => options.PublishOrigins.Add("https://trusted.example"));
        var request = new HttpRequestMessage(HttpMethod.Post, HubNodes.Path)
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("topic", "a")]),
        };
        request.Headers.Add("Cookie", $"__Secure-mercure_access_token={Tokens.Publisher(hub.Time)}");
        request.Headers.Add(header, value);
        using var answer = await hub.SendAsync(hub.First, request);
        await IsAsync(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer);
    }

    [Fact]
    public async Task A_stream_ends_when_its_token_expires()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a", Tokens.Expiring(hub.Time, TimeSpan.FromSeconds(10)));
        await using var anonymous = await hub.OpenAsync("match=a");
        hub.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(reader.IsOpen);
        hub.Time.Advance(TimeSpan.FromSeconds(1));
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        await hub.PublishAsync(("topic", "a"), ("data", "later"));
        Assert.Equal("later", (await anonymous.NextAsync()).Data);
        Assert.Empty(reader.Received);
    }

    [Fact]
    public async Task A_stream_ends_at_the_greatest_duration()
    {
        await using var hub = await StartAsync(options => options.MaxStreamDuration = TimeSpan.FromSeconds(10));
        await using var reader = await hub.OpenAsync("match=a");
        hub.Time.Advance(TimeSpan.FromSeconds(10));
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(reader.Received);
    }

    [Fact]
    public async Task The_metadata_describes_the_hub_as_a_protected_resource()
    {
        await using var hub = await StartAsync(options =>
        {
            options.Subscriptions = true;
            options.AuthorizationServers.Add("https://login.example.com");
        });
        using var answer = await hub.GetAsync("/.well-known/oauth-protected-resource/.well-known/mercure");
        Assert.Equal("application/json", Header(answer, "Content-Type"));
        using var json = JsonDocument.Parse(await TextAsync(answer));
        var root = json.RootElement;
        Assert.Equal(HubNodes.Url, root.GetProperty("resource").GetString());
        Assert.Equal("https://login.example.com", root.GetProperty("authorization_servers")[0].GetString());
        Assert.Equal(Tokens.DetailType, root.GetProperty("authorization_details_types_supported")[0].GetString());
        Assert.Equal("header", root.GetProperty("bearer_methods_supported")[0].GetString());
        Assert.Equal("__Secure-mercure_access_token", root.GetProperty("mercure_cookie").GetString());
        Assert.True(root.GetProperty("mercure_subscriptions").GetBoolean());
    }

    [Theory]
    [InlineData("https://www.example.com", true)]
    [InlineData("https://evil.example", false)]
    public async Task Cors_allows_listed_origins_with_credentials_and_reflects_no_other(string origin, bool isListed)
    {
        await using var hub = await StartAsync(options => options.CorsOrigins.Add("https://www.example.com"));
        var get = new HttpRequestMessage(HttpMethod.Head, HubNodes.Path + "?match=a");
        var preflight = new HttpRequestMessage(HttpMethod.Options, HubNodes.Path);
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        foreach (var request in (HttpRequestMessage[])[get, preflight])
        {
            request.Headers.Add("Origin", origin);
            using var answer = await hub.SendAsync(hub.Second, request);
            Assert.True(answer.IsSuccessStatusCode);
            Assert.Equal(isListed ? origin : null, Header(answer, "Access-Control-Allow-Origin"));
            Assert.Equal(isListed ? "true" : null, Header(answer, "Access-Control-Allow-Credentials"));
            Assert.Contains("Link", Header(answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Contains("Origin", Header(answer, "Vary"), StringComparison.Ordinal);
        }
    }
}
