using System.Text.Json;
using Dunlin.Security;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class RefusalTests
{
    [Fact]
    public async Task A_refused_topic_is_explained_and_repetitions_are_counted()
    {
        await using var host = await InspectedHost.StartAsync();
        using var client = host.Host.Client("bob");
        for (var i = 0; i < 3; i++)
            (await client.SendJsonAsync("GET", "/dunlin/v1/events?topic=secret/1")).Is(403, "forbidden");
        var refusal = await OnlyAsync(host);
        Assert.Equal("forbidden", refusal.GetProperty("kind").GetString());
        Assert.Equal(3, refusal.GetProperty("count").GetInt32());
        Assert.Equal("bob", refusal.GetProperty("userId").GetString());
        Assert.Contains("may not read 'secret/1'", refusal.GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Contains("subscribe", refusal.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        host.Time.Advance(TimeSpan.FromMinutes(16));
        Assert.Empty((await host.GetAsync("refusals")).GetProperty("refusals").EnumerateArray());
    }

    [Fact]
    public async Task A_request_without_a_credential_is_explained_without_its_query()
    {
        await using var host = await InspectedHost.StartAsync();
        using var client = host.Host.Client();
        (await client.SendJsonAsync("GET", "/dunlin/v1/journal?topic=a&x=private")).Is(401, "not_signed_in");
        var refusal = await OnlyAsync(host);
        Assert.Equal("unauthorized", refusal.GetProperty("kind").GetString());
        Assert.Contains("no credential", refusal.GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Equal("/dunlin/v1/journal", refusal.GetProperty("path").GetString());
        Assert.DoesNotContain("private", refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "cors", "hides the answer")]
    [InlineData("OPTIONS", "cors_preflight", "asked whether")]
    public async Task A_page_of_another_origin_is_explained(string method, string code, string why)
    {
        await using var host = await InspectedHost.StartAsync(authentication: app =>
        {
            app.UseDunlinOrigins();
            app.UseTestUsers();
        });
        using var client = host.Host.Client("bob");
        var origin = ("Origin", "https://app.example.com");
        await client.SendJsonAsync(method, "/dunlin/v1/journal?topic=a", null, origin);
        var refusal = await OnlyAsync(host);
        Assert.Equal(code, refusal.GetProperty("code").GetString());
        Assert.Contains(why, refusal.GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Contains("https://app.example.com", refusal.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        // Pages of this server need no CORS header.
        await client.SendJsonAsync(
            method,
            "/dunlin/v1/journal?topic=a",
            null,
            ("Origin", host.Host.Address.GetLeftPart(UriPartial.Authority))
        );
        Assert.Equal(1, (await OnlyAsync(host)).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task An_expired_and_a_forged_token_are_told_apart()
    {
        await using var host = await InspectedHost.StartAsync(
            engine: builder => builder.AddTokens(tokens => tokens.SigningKey = new string('k', 64)).AddRevocations(),
            authentication: app =>
            {
                app.UseTestUsers();
                app.UseDunlinSecurity();
            }
        );
        var token = host.Host.Get<AccessTokens>().Issue(new AccessTokenRequest("bob") { Lifetime = TimeSpan.FromMinutes(5) });
        host.Time.Advance(TimeSpan.FromHours(1));
        await SendAsync(host, token);
        Assert.Equal("expired", (await OnlyAsync(host)).GetProperty("reason").GetString());
        await SendAsync(host, "nonsense");
        var newest = (await host.GetAsync("refusals")).GetProperty("refusals")[0];
        Assert.Equal("malformed", newest.GetProperty("reason").GetString());
        Assert.DoesNotContain("nonsense", newest.ToString(), StringComparison.Ordinal);
    }

    private static async Task SendAsync(InspectedHost host, string token)
    {
        using var client = TestClients.New(host.Host.Address, token);
        (await client.SendJsonAsync("GET", "/dunlin/v1/journal?topic=a")).Is(401, "not_signed_in");
    }

    private static async Task<JsonElement> OnlyAsync(InspectedHost host) =>
        (await host.GetAsync("refusals")).GetProperty("refusals").EnumerateArray().Single();
}
