using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary><c>dunlin serve --mercure</c>: the real program, its settings, and the death of a node.</summary>
public sealed class MercureTests
{
    private const string Hub = "/.well-known/mercure";
    internal const string Secret = "!ChangeThisMercureHubJWTSecretKey!";

    [Fact]
    public async Task Check_reports_faults_of_the_hub_and_describes_it()
    {
        using var folder = new TemporaryFolder();
        var config = folder.Write(
            "faulty.json",
            """{"Dunlin": {"Mercure": {"Url": "hub", "Issuers": [{"Issuer": "https://example.com", "Secrets": ["short"]}]}}}"""
        );
        var faulty = await Cli.RunAsync("check", "--mercure", "--config", config);
        Assert.NotEqual(0, faulty.Code);
        Assert.Contains("MercureOptions.Url", faulty.Error, StringComparison.Ordinal);
        Assert.Contains("MercureOptions.Issuers[0]: an HS256 key has 32 bytes at least", faulty.Error, StringComparison.Ordinal);

        var off = await Cli.RunAsync("check", "--config", config);
        Assert.Equal(0, off.Code);
        Assert.DoesNotContain("  mercure  ", off.Output, StringComparison.Ordinal);

        var good = folder.Write(
            "good.json",
            $$"""{"Dunlin": {"Mercure": {"Dialects": "Both", "Issuers": [{"Issuer": "https://example.com", "Secrets": ["{{Secret}}"]}] } } }"""
        );
        var described = await Cli.RunAsync("check", "--mercure", "--config", good, "--port", "5191");
        Assert.True(described.Code == 0, described.Error);
        Assert.Contains(
            "http://localhost:5191/.well-known/mercure, protocol 1.0 and 0.x, 1 issuer(s)",
            described.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Server_answers_the_protocol_only_if_told_to()
    {
        await using var plain = await TestServer.StartAsync();
        Assert.Equal(404, await StatusAsync(plain.Address, "?match=a"));
        await using var hub = await TestServer.StartAsync(
            ("Mercure:Enabled", "true"),
            ("Mercure:Issuers:0:Secrets:0", Secret),
            ("Mercure:Issuers:0:Issuer", "https://example.com"),
            ("Mercure:Url", "https://hub.example.com" + Hub)
        );
        Assert.Equal(400, await StatusAsync(hub.Address, ""));
        await using var reader = await OpenAsync(hub.Address, "match=a");
        Assert.Equal(HttpStatusCode.OK, await PublishAsync(hub.Address, "a", "1"));
        Assert.Equal("1", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task Subscriptions_of_a_killed_node_turn_inactive_at_the_other()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = Program(postgres);
        await using var second = Program(postgres);
        await first.StartAsync("--mercure");
        await second.StartAsync("--mercure");
        await using var lost = await OpenAsync(second.Address, "match=lost");
        // The copy of the first node shows that it knows the second one.
        await Eventually.TrueAsync(async () => (await ListAsync(first.Address)).Contains("lost", StringComparison.Ordinal));
        await using var watcher = await OpenAsync(first.Address, "match=*", Token());
        await second.KillAsync();
        var killed = TimeProvider.System.GetTimestamp();
        var end = await watcher.UntilAsync(item => item.Data.Contains("\"active\":false", StringComparison.Ordinal));
        Assert.Contains("\"match\":\"lost\"", end.Data, StringComparison.Ordinal);
        Assert.Equal("mercure", end.EventType);
        Assert.DoesNotContain("lost", await ListAsync(first.Address), StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"inactive after {TimeProvider.System.GetElapsedTime(killed).TotalSeconds:F1} s");
    }

    internal static ServerProgram Program(PostgresServer postgres)
    {
        var program = new ServerProgram();
        program.Settings["Dunlin__Store"] = postgres.ConnectionString;
        program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        program.Settings["Dunlin__Mercure__Url"] = "https://hub.example.com" + Hub;
        program.Settings["Dunlin__Mercure__Subscriptions"] = "true";
        program.Settings["Dunlin__Mercure__Issuers__0__Issuer"] = "https://example.com";
        program.Settings["Dunlin__Mercure__Issuers__0__Secrets__0"] = Secret;
        return program;
    }

    internal static Task<EventStreamReader<SseItem<string>>> OpenAsync(Uri address, string query, string? token = null) =>
        TestClients.New(address, token).OpenStreamAsync($"{Hub}?{query}", static item => item);

    internal static async Task<HttpStatusCode> PublishAsync(Uri address, string topic, string data, bool isPrivate = false)
    {
        using var client = TestClients.New(address, Token());
        List<KeyValuePair<string, string>> fields = [new("topic", topic), new("data", data), new("retry", "50")];
        if (isPrivate)
            fields.Add(new("private", "on"));
        using var form = new FormUrlEncodedContent(fields);
        using var answer = await client.PostAsync(new Uri(Hub, UriKind.Relative), form);
        return answer.StatusCode;
    }

    private static async Task<int> StatusAsync(Uri address, string query)
    {
        using var client = TestClients.New(address);
        using var answer = await client.GetAsync(new Uri(Hub + query, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        return (int)answer.StatusCode;
    }

    private static async Task<string> ListAsync(Uri address)
    {
        using var client = TestClients.New(address, Token());
        return await client.GetStringAsync(new Uri(Hub + "/subscriptions", UriKind.Relative));
    }

    internal static string Token() => Token("*");

    /// <summary>Returns a token that may publish and read one topic.</summary>
    internal static string Token(string topic)
    {
        var detail = new
        {
            type = "https://mercure.rocks/authorization-detail",
            actions = new[] { "publish", "subscribe" },
            topics = new[] { new { match = topic } },
        };
        var claims = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["iss"] = "https://example.com",
            ["aud"] = "https://hub.example.com" + Hub,
            ["sub"] = "ann",
            ["exp"] = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
            ["authorization_details"] = new[] { detail },
        };
        return Mint.Sign(
            """{"alg":"HS256","typ":"at+jwt"}""",
            claims,
            static text => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), text)
        );
    }

    private sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-mercure-");

        public string Write(string name, string text)
        {
            var path = Path.Combine(_folder.FullName, name);
            File.WriteAllText(path, text);
            return path;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
