using Dunlin.Server.Tests.Support;

namespace Dunlin.Server.Tests;

/// <summary>Allowed origins, with real requests as a browser sends them.</summary>
public sealed class OriginTests
{
    private const string App = "https://app.example.com";

    [Fact]
    public async Task Without_configuration_other_origins_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Empty(await CorsAsync(server, HttpMethod.Options, App));
        Assert.Empty(await CorsAsync(server, HttpMethod.Get, App));
    }

    [Fact]
    public async Task Only_the_exact_configured_origin_is_allowed_with_credentials()
    {
        await using var server = await TestServer.StartAsync(("Origins:AllowedOrigins:0", App));
        var preflight = await CorsAsync(server, HttpMethod.Options, App);
        Assert.Equal(App, preflight["Access-Control-Allow-Origin"]);
        Assert.Equal("true", preflight["Access-Control-Allow-Credentials"]);
        Assert.Contains("Authorization", preflight["Access-Control-Allow-Headers"], StringComparison.Ordinal);
        Assert.Contains("Last-Event-ID", preflight["Access-Control-Allow-Headers"], StringComparison.Ordinal);
        Assert.Equal(App, (await CorsAsync(server, HttpMethod.Get, App))["Access-Control-Allow-Origin"]);
        foreach (
            var other in new[]
            {
                "https://app.example.com.evil.org",
                "http://app.example.com",
                "https://app.example.com:8443",
                "https://APP.example.com",
                "null",
                "*",
            }
        )
            Assert.DoesNotContain("Access-Control-Allow-Origin", (await CorsAsync(server, HttpMethod.Options, other)).Keys);
    }

    [Fact]
    public async Task Refusal_is_readable_by_the_page()
    {
        await using var server = await TestServer.StartAsync(("Origins:AllowedOrigins:0", App));
        using var client = Calls.Client(server.Address, "not a token");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/events?topic=a");
        request.Headers.Add("Origin", App);
        using var response = await client.SendAsync(request);
        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal(App, response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task Any_origin_with_credentials_stops_the_start_and_without_does_not()
    {
        await using var program = new ServerProgram();
        program.Settings["Dunlin__Origins__AllowedOrigins__0"] = "*";
        var (code, _, error) = await program.RunCommandAsync("--data", program.Data, "--port", "0");
        Assert.Equal(1, code);
        Assert.Contains("AllowCredentials", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);

        await using var server = await TestServer.StartAsync(("Origins:AllowedOrigins:0", "*"), ("Origins:AllowCredentials", "false"));
        var answer = await CorsAsync(server, HttpMethod.Get, App);
        Assert.Equal("*", answer["Access-Control-Allow-Origin"]);
        Assert.DoesNotContain("Access-Control-Allow-Credentials", answer.Keys);
    }

    private static async Task<Dictionary<string, string>> CorsAsync(TestServer server, HttpMethod method, string origin)
    {
        using var client = Calls.Client(server.Address, null);
        using var request = new HttpRequestMessage(method, "/dunlin/v1/stats");
        Assert.True(request.Headers.TryAddWithoutValidation("Origin", origin));
        if (method == HttpMethod.Options)
            request.Headers.Add("Access-Control-Request-Method", "GET");
        using var response = await client.SendAsync(request);
        return response
            .Headers.Where(header => header.Key.StartsWith("Access-Control-", StringComparison.Ordinal))
            .ToDictionary(header => header.Key, header => header.Value.Single(), StringComparer.Ordinal);
    }
}
