using System.Net;
using System.Net.Http.Json;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class OriginTests
{
    private const string Friend = "https://app.example.com";

    [Theory]
    [InlineData("same-origin", "https://other.example", true)]
    [InlineData("none", null, true)]
    [InlineData("same-site", "http://evil.example", false)]
    [InlineData("cross-site", "https://evil.example", false)]
    [InlineData("cross-site", null, false)]
    [InlineData("cross-site", Friend, true)]
    [InlineData("cross-site", "null", false)]
    [InlineData("nonsense", null, false)]
    [InlineData(null, null, true)]
    [InlineData(null, "own", true)]
    [InlineData(null, "https-own", true)]
    [InlineData(null, "null", false)]
    [InlineData(null, "http://127.0.0.1:1", false)]
    [InlineData(null, "https://evil.example", false)]
    [InlineData(null, Friend, true)]
    [InlineData(null, "https://app.example.com.evil.example", false)]
    [InlineData(null, "HTTPS://APP.EXAMPLE.COM", false)]
    [InlineData(null, "garbage", false)]
    public async Task A_write_with_the_cookie_needs_the_own_or_an_allowed_origin(string? site, string? origin, bool allowed)
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add(Friend) });
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        origin = origin switch
        {
            "own" => $"http://{host.Address.Authority}",
            "https-own" => $"https://{host.Address.Authority}",
            _ => origin,
        };
        (string, string)[] headers = [.. Given("Sec-Fetch-Site", site), .. Given("Origin", origin)];

        using var write = await client.SendAsync(HttpMethod.Post, "/api/write", cookie: signedIn.Cookie, headers: headers);
        using var refresh = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: signedIn.Cookie, headers: headers);
        using var login = await client.SendAsync(
            HttpMethod.Post,
            "/api/v1/auth/login",
            content: JsonContent.Create(new { username = "alice", password = TestHost.Password }),
            headers: headers
        );
        using var guarded = await client.SendAsync(HttpMethod.Post, "/api/guarded", cookie: signedIn.Cookie, headers: headers);
        foreach (var response in new[] { write, refresh, login, guarded })
        {
            if (allowed)
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            else
                await HttpAssert.ProblemAsync(response, 403, "origin_refused");
        }
        // CORS protects reads. Only a script that has the token can send a bearer token.
        using var read = await client.SendAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie, headers: headers);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var bearer = await client.SendAsync(HttpMethod.Post, "/api/write", signedIn.Token, signedIn.Cookie, headers: headers);
        Assert.Equal(HttpStatusCode.OK, bearer.StatusCode);
        using var logout = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/logout", cookie: signedIn.Cookie, headers: headers);
        Assert.Equal(allowed ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, logout.StatusCode);
    }

    [Theory]
    [InlineData("Basic x")]
    [InlineData("Basic YWxpY2U6eA==")]
    [InlineData("basic x")]
    [InlineData("Negotiate x")]
    [InlineData("Digest username=alice")]
    [InlineData("x")]
    [InlineData("Bearerx")]
    [InlineData("Basic x", "Digest y")]
    [InlineData("Basic x", "Bearer y")]
    public async Task An_authorization_header_that_did_not_authenticate_exempts_no_cookie(params string[] authorization)
    {
        await using var host = await TestHost.StartAsync();
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        foreach (var (name, value) in new[] { ("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site") })
        {
            foreach (
                var path in new[] { "/api/write", "/api/guarded", "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/auth/ticket" }
            )
            {
                using var response = await client.SendAsync(
                    HttpMethod.Post,
                    path,
                    cookie: signedIn.Cookie,
                    headers: [(name, value), .. authorization.Select(text => ("Authorization", text))]
                );
                await HttpAssert.ProblemAsync(response, 403, "origin_refused");
            }
        }
        using var own = await client.SendAsync(
            HttpMethod.Post,
            "/api/write",
            cookie: signedIn.Cookie,
            headers: [.. authorization.Select(text => ("Authorization", text))]
        );
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer ")]
    [InlineData("Bearer x")]
    [InlineData("BEARER a.b.c")]
    [InlineData("Bearer x", "Bearer y")]
    public async Task An_invalid_bearer_token_neither_uses_nor_ends_the_cookie_session(params string[] authorization)
    {
        await using var host = await TestHost.StartAsync();
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        (string, string)[] headers = [("Origin", "https://evil.example"), .. authorization.Select(text => ("Authorization", text))];
        using var write = await client.SendAsync(HttpMethod.Post, "/api/write", cookie: signedIn.Cookie, headers: headers);
        await HttpAssert.ProblemAsync(write, 401, "not_signed_in");
        using var logout = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/logout", cookie: signedIn.Cookie, headers: headers);
        await HttpAssert.ProblemAsync(logout, 403, "origin_refused");
        using var still = await client.SendAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task A_valid_token_from_another_origin_does_not_end_the_cookie_session()
    {
        await using var host = await TestHost.StartAsync();
        await host.CreateAsync("alice");
        await host.CreateAsync("mallory");
        using var client = host.Plain();
        var (victim, attacker) = (await host.SignInAsync(client, "alice"), await host.SignInAsync(client, "mallory"));
        using var logout = await client.SendAsync(
            HttpMethod.Post,
            "/api/v1/auth/logout",
            attacker.Token,
            victim.Cookie,
            headers: ("Origin", "https://evil.example")
        );
        await HttpAssert.ProblemAsync(logout, 403, "origin_refused");
    }

    [Theory]
    [InlineData("cross-site", null, true, 403)]
    [InlineData("same-site", null, true, 403)]
    [InlineData("cross-site", "https://evil.example", true, 403)]
    [InlineData(null, "https://evil.example", true, 403)]
    [InlineData("cross-site", Friend, true, 200)]
    [InlineData("same-origin", null, true, 200)]
    [InlineData("none", null, true, 200)]
    [InlineData(null, null, true, 200)]
    [InlineData("cross-site", null, false, 200)]
    public async Task A_stream_with_a_cookie_from_another_origin_is_refused_first(string? site, string? origin, bool hasCookie, int status)
    {
        var opened = 0;
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Origins = origins => origins.AllowedOrigins.Add(Friend),
                Map = app =>
                    app.MapEventStream(
                        "/api/sse",
                        context =>
                        {
                            opened++;
                            return context.Response.WriteAsync("data: connected\n\n");
                        }
                    ),
            }
        );
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        var headers = new List<(string, string)>();
        if (site is not null)
            headers.Add(("Sec-Fetch-Site", site));
        if (origin is not null)
            headers.Add(("Origin", origin));
        using var response = await client.SendAsync(
            HttpMethod.Get,
            "/api/sse",
            hasCookie ? null : signedIn.Token,
            hasCookie ? signedIn.Cookie : null,
            headers: [.. headers]
        );
        Assert.Equal((status, status == 200 ? 1 : 0), ((int)response.StatusCode, opened));
        if (status == 403)
            await HttpAssert.ProblemAsync(response, 403, "origin_refused");
    }

    [Fact]
    public async Task Without_allowed_origins_there_are_no_cors_headers()
    {
        await using var host = await TestHost.StartAsync();
        using var client = host.Plain();
        using var response = await client.SendAsync(HttpMethod.Get, "/api/v1/auth/status", headers: ("Origin", Friend));
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        using var preflight = await client.SendAsync(
            HttpMethod.Options,
            "/api/v1/auth/login",
            headers: [("Origin", Friend), ("Access-Control-Request-Method", "POST")]
        );
        Assert.DoesNotContain(preflight.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, preflight.StatusCode);
    }

    [Fact]
    public async Task An_allowed_origin_may_read_and_preflight_named_headers()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add(Friend) });
        using var client = host.Plain();
        using var preflight = await client.SendAsync(
            HttpMethod.Options,
            "/api/v1/auth/login",
            headers: [("Origin", Friend), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization")]
        );
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Friend, Header(preflight, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(preflight, "Access-Control-Allow-Credentials"));
        Assert.Equal("600", Header(preflight, "Access-Control-Max-Age"));
        var named = Header(preflight, "Access-Control-Allow-Headers")!.Split(',');
        foreach (
            var name in new[]
            {
                "Authorization",
                "Content-Type",
                "Last-Event-ID",
                "Dunlin-Connection",
                "Dunlin-Device",
                "Dunlin-User",
                "Dunlin-Lease",
                "If-Match",
                "Idempotency-Key",
            }
        )
            Assert.Contains(name, named);
        Assert.Contains("DELETE", Header(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);

        // Errors need CORS headers too, so that the page can read them.
        foreach (var path in new[] { "/api/whoami", "/api/guarded" })
        {
            using var error = await client.SendAsync(HttpMethod.Get, path, headers: ("Origin", Friend));
            await HttpAssert.ProblemAsync(error, 401, "not_signed_in");
            Assert.Equal(Friend, Header(error, "Access-Control-Allow-Origin"));
            Assert.Equal("Dunlin-Connection,ETag,Retry-After", Header(error, "Access-Control-Expose-Headers"));
            Assert.Contains("Origin", error.Headers.Vary);
        }
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("https://app.example.com:8443")]
    [InlineData("http://app.example.com")]
    [InlineData("null")]
    public async Task Another_origin_gets_only_a_Vary_header(string origin)
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add(Friend) });
        using var client = host.Plain();
        using var response = await client.SendAsync(HttpMethod.Get, "/api/v1/auth/status", headers: ("Origin", origin));
        Assert.Null(Header(response, "Access-Control-Allow-Origin"));
        Assert.Null(Header(response, "Access-Control-Allow-Credentials"));
        Assert.Contains("Origin", response.Headers.Vary);
    }

    [Fact]
    public async Task A_preflight_of_another_origin_gets_no_cors_headers()
    {
        await using var host = await TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add(Friend) });
        using var client = host.Plain();
        using var preflight = await client.SendAsync(
            HttpMethod.Options,
            "/api/v1/auth/login",
            headers: [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")]
        );
        Assert.DoesNotContain(preflight.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("Origin", preflight.Headers.Vary);
    }

    [Fact]
    public async Task An_endpoint_keeps_its_named_CORS_policy()
    {
        const string own = "https://partner.example";
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Origins = origins => origins.AllowedOrigins.Add(Friend),
                Services = services => services.AddCors(cors => cors.AddPolicy("partner", policy => policy.WithOrigins(own))),
                Map = app => app.MapGet("/api/partner", () => "partner").RequireCors("partner"),
            }
        );
        using var client = host.Plain();
        foreach (
            var (path, origin, allowed) in new[]
            {
                ("/api/partner", own, true),
                ("/api/partner", Friend, false),
                ("/api/v1/auth/status", own, false),
                ("/api/v1/auth/status", Friend, true),
            }
        )
        {
            using var response = await client.SendAsync(HttpMethod.Get, path, headers: [("Origin", origin)]);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(allowed ? origin : null, Header(response, "Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Any_origin_is_allowed_only_without_credentials()
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Origins = origins =>
                {
                    origins.AllowedOrigins.Add("*");
                    origins.AllowCredentials = false;
                },
            }
        );
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        using var read = await client.SendAsync(HttpMethod.Get, "/api/v1/auth/status", headers: ("Origin", "https://any.example"));
        Assert.Equal("*", Header(read, "Access-Control-Allow-Origin"));
        Assert.Null(Header(read, "Access-Control-Allow-Credentials"));
        using var write = await client.SendAsync(
            HttpMethod.Post,
            "/api/write",
            cookie: signedIn.Cookie,
            headers: [("Origin", "https://any.example"), ("Sec-Fetch-Site", "cross-site")]
        );
        await HttpAssert.ProblemAsync(write, 403, "origin_refused");
    }

    [Theory]
    [InlineData("dunlin.example", true)]
    [InlineData("DUNLIN.example:5080", true)]
    [InlineData("a.sites.example", true)]
    [InlineData("sites.example", false)]
    [InlineData("evilsites.example", false)]
    [InlineData("dunlin.example.evil.example", false)]
    [InlineData("127.0.0.1", false)]
    public async Task Allowed_hosts_refuse_all_other_hosts(string hostName, bool allowed)
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Origins = origins =>
                {
                    origins.AllowedHosts.Add("dunlin.example");
                    origins.AllowedHosts.Add("*.sites.example");
                },
            }
        );
        using var client = host.Plain();
        using var response = await client.SendAsync(HttpMethod.Get, "/api/v1/auth/status", headers: ("Host", hostName));
        if (allowed)
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else
            Assert.Equal("Host", (await HttpAssert.ProblemAsync(response, 400, "invalid_field")).GetProperty("field").GetString());
    }

    [Fact]
    public async Task Pages_carry_security_headers()
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup { Map = app => app.UseDunlinPageHeaders(page => page.Further["X-More"] = "1") }
        );
        using var client = host.Plain();
        using var response = await client.GetAsync("/page");
        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Equal("same-origin", Header(response, "Referrer-Policy"));
        Assert.Contains("frame-ancestors 'none'", Header(response, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("script-src 'self' 'unsafe", Header(response, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("1", Header(response, "X-More"));
    }

    private static IEnumerable<(string, string)> Given(string name, string? value) => value is null ? [] : [(name, value)];

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
