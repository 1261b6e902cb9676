using System.Net;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class AccessTokensTests : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() =>
        _host = await TestHost.StartAsync(
            new HostSetup
            {
                Map = app =>
                    app.MapGet("/api/grants", context => context.Response.WriteAsync(context.RequireCaller().Grants.ToJson()))
                        .WithMetadata(AcceptsTicket.Instance),
            }
        );

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_token_passes_its_grants_to_the_policies()
    {
        var token = Tokens.Issue(new AccessTokenRequest("ann") { Grants = Grants.Parse("""{"subscribe":["a/*"],"hold":["b"]}""") });
        using var client = _host.Plain();
        Assert.Equal(
            """{"subscribe":["a/*"],"hold":["b"]}""",
            await GrantsAsync(await client.SendAsync(HttpMethod.Get, "/api/grants", token))
        );
        Assert.Equal(
            "{}",
            await GrantsAsync(await client.SendAsync(HttpMethod.Get, "/api/grants", Tokens.Issue(new AccessTokenRequest("ann"))))
        );
    }

    [Fact]
    public async Task A_ticket_passes_on_the_grants_of_its_token()
    {
        var token = Tokens.Issue(new AccessTokenRequest("ann") { Grants = Grants.Parse("""{"subscribe":["a/*"]}""") });
        using var client = _host.Plain();
        using var response = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", token);
        var ticket = System
            .Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync())
            .RootElement.GetProperty("ticket")
            .GetString();
        Assert.Equal("""{"subscribe":["a/*"]}""", await GrantsAsync(await client.GetAsync($"/api/grants?ticket={ticket}")));
    }

    [Fact]
    public async Task A_ticket_ends_with_the_token_that_it_came_from()
    {
        var token = Tokens.Issue(new AccessTokenRequest("ann") { Lifetime = TimeSpan.FromMinutes(1) });
        using var client = _host.Plain();
        _host.Clock.Advance(TimeSpan.FromSeconds(70)); // within the clock skew of 30 s
        using var response = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", token);
        using var answer = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        _host.Clock.Advance(TimeSpan.FromSeconds(20));
        using var refused = await client.GetAsync($"/api/grants?ticket={answer.RootElement.GetProperty("ticket").GetString()}");
        await HttpAssert.ProblemAsync(refused, 401, "not_signed_in");
    }

    [Fact]
    public async Task A_session_has_no_grants()
    {
        await _host.CreateAsync("ann");
        using var client = _host.Browser();
        var signedIn = await _host.SignInAsync(client, "ann");
        Assert.Equal("{}", await GrantsAsync(await client.SendAsync(HttpMethod.Get, "/api/grants", signedIn.Token)));
    }

    [Fact]
    public async Task Diagnosis_reports_why_a_token_is_refused()
    {
        var token = Tokens.Issue(new AccessTokenRequest("ann") { Lifetime = TimeSpan.FromMinutes(1) });
        Assert.Null(await Tokens.WhyRefusedAsync(token, default));
        Assert.Equal("malformed", await Tokens.WhyRefusedAsync("x", default));
        Assert.Equal("wrongSignature", await Tokens.WhyRefusedAsync(token[..^4] + (token[^4] == 'A' ? 'B' : 'A') + token[^3..], default));
        _host.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("expired", await Tokens.WhyRefusedAsync(token, default));
    }

    [Fact]
    public void An_invalid_token_is_not_issued()
    {
        Assert.Throws<ArgumentException>(() => Tokens.Issue(new AccessTokenRequest("")));
        Assert.Throws<ArgumentException>(() => Tokens.Issue(new AccessTokenRequest("a\nb")));
        Assert.Throws<ArgumentException>(() => Tokens.Issue(new AccessTokenRequest(new string('a', 201))));
        Assert.Throws<ArgumentException>(() => Tokens.Issue(new AccessTokenRequest("a") { Lifetime = TimeSpan.Zero }));
    }

    private AccessTokens Tokens => _host.Services.GetRequiredService<AccessTokens>();

    private static async Task<string> GrantsAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.Content.ReadAsStringAsync();
        }
    }
}
