using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class CallerTests
{
    [Theory]
    [InlineData("Dunlin-Device", "laptop-1", "deviceId", "laptop-1")]
    [InlineData("Dunlin-Connection", "c.1_2-3", "connectionId", "c.1_2-3")]
    [InlineData("X-Other", "x", "deviceId", null)]
    public async Task Device_and_connection_are_read_from_their_headers(string header, string value, string member, string? expected)
    {
        await using var host = await TestHost.StartAsync();
        using var response = await AskAsync(host, "/api/whoami", (header, value));
        Assert.Equal(expected, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty(member).GetString());
    }

    [Fact]
    public void The_caller_follows_a_replaced_principal()
    {
        static ClaimsPrincipal User(string id) => new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, id)], "test"));

        using var services = new ServiceCollection().BuildServiceProvider();
        var context = new DefaultHttpContext { User = User("ann"), RequestServices = services };
        Assert.Equal("ann", context.RequireCaller().UserId);
        context.User = User("bob");
        Assert.Equal("bob", context.RequireCaller().UserId);
    }

    [Theory]
    [InlineData("deviceId=a", "a")]
    [InlineData("device=b", "b")]
    [InlineData("deviceId=a&device=b", "a")]
    [InlineData("", null)]
    public async Task A_device_may_be_named_in_the_query(string query, string? expected)
    {
        await using var host = await TestHost.StartAsync();
        using var response = await AskAsync(host, $"/api/whoami?{query}");
        Assert.Equal(expected, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("deviceId").GetString());
    }

    [Theory]
    [InlineData("/api/whoami?deviceId=", "deviceId", null)]
    [InlineData("/api/whoami?deviceId=a%20b", "deviceId", null)]
    [InlineData("/api/whoami?deviceId=a%0Ab", "deviceId", null)]
    [InlineData("/api/whoami?deviceId=a%00", "deviceId", null)]
    [InlineData("/api/whoami?deviceId=%C3%A9", "deviceId", null)]
    [InlineData("/api/whoami?deviceId=a&deviceId=b", "deviceId", null)]
    [InlineData("/api/whoami?device=a/b", "device", null)]
    [InlineData(
        "/api/whoami?device=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "device",
        null
    )]
    [InlineData("/api/whoami", "Dunlin-Device", "a b")]
    [InlineData("/api/whoami", "Dunlin-Device", "<script>")]
    [InlineData("/api/whoami", "Dunlin-Connection", "a,b")]
    public async Task An_invalid_id_is_refused_and_named(string path, string field, string? header)
    {
        await using var host = await TestHost.StartAsync();
        using var response = header is null ? await AskAsync(host, path) : await AskAsync(host, path, (field, header));
        var problem = await HttpAssert.ProblemAsync(response, 400, "invalid_field");
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Another_authentication_scheme_can_replace_the_built_in_one()
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Services = services =>
                    services.AddAuthentication("Other").AddScheme<AuthenticationSchemeOptions, OtherScheme>("Other", null),
            }
        );
        using var client = host.Plain();
        using var response = await client.SendAsync(HttpMethod.Get, "/api/whoami", headers: ("X-User", "42"));
        var who = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("42", who.GetProperty("userId").GetString());
        Assert.Equal("Somebody", who.GetProperty("name").GetString());
        Assert.Equal(["admin"], who.GetProperty("roles").EnumerateArray().Select(role => role.GetString()!));
        Assert.Equal(OtherScheme.Expiry, who.GetProperty("expiresAt").GetDateTimeOffset());
        Assert.Equal(JsonValueKind.Null, who.GetProperty("sessionId").ValueKind);
        // Such a caller can get tickets, but no Dunlin token, because there is no session to refresh.
        using var ticket = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", headers: ("X-User", "42"));
        Assert.Equal(HttpStatusCode.OK, ticket.StatusCode);
        using var refresh = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", headers: ("X-User", "42"));
        await HttpAssert.ProblemAsync(refresh, 401, "not_signed_in");
        using var nobody = await client.SendAsync(HttpMethod.Get, "/api/whoami");
        await HttpAssert.ProblemAsync(nobody, 401, "not_signed_in");
    }

    [Fact]
    public void A_failing_listener_does_not_block_the_others()
    {
        var changes = new AccessChanges();
        var heard = new List<string>();
        using var bad = changes.OnSessionEnded(_ => throw new InvalidOperationException());
        var good = changes.OnSessionEnded(ended => heard.Add(ended.Reason));
        using var rights = changes.OnRightsChanged(heard.Add);
        changes.SessionEnded("u", "s", "one");
        changes.RightsChanged("u");
        good.Dispose();
        good.Dispose();
        changes.SessionEnded("u", "s", "two");
        Assert.Equal(["one", "u"], heard);
    }

    private static async Task<HttpResponseMessage> AskAsync(TestHost host, string path, params (string, string)[] headers)
    {
        await host.CreateAsync("alice");
        using var client = host.Plain();
        var signedIn = await host.SignInAsync(client, "alice");
        return await client.SendAsync(HttpMethod.Get, path, signedIn.Token, headers: headers);
    }

    private sealed class OtherScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        public static readonly DateTimeOffset Expiry = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (!Request.Headers.TryGetValue("X-User", out var user))
                return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity(
                [new(ClaimTypes.NameIdentifier, user!), new(ClaimTypes.Name, "Somebody"), new(ClaimTypes.Role, "admin")],
                "Other"
            );
            return Task.FromResult(
                AuthenticateResult.Success(
                    new AuthenticationTicket(new ClaimsPrincipal(identity), new AuthenticationProperties { ExpiresUtc = Expiry }, "Other")
                )
            );
        }
    }
}
