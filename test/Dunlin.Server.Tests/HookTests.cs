using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>Webhooks of other systems at the server: the guide, and two servers at once.</summary>
[Trait("Store", "own")]
public sealed class HookTests
{
    private const string Secret = "a secret of the sender";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_guide_receives_a_webhook_once_over_a_kill_of_the_server()
    {
        var page = Repository.Read("docs/guides/incoming-hooks.md");
        var shell = Repository.Blocks(page, "sh");
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await File.WriteAllTextAsync(
            Path.Combine(server.Folder, "dunlin.json"),
            Assert.Single(Repository.Blocks(page, "json")),
            Cancellation
        );
        var lines = shell[0].Trim().Split('\n');
        Assert.Equal("dunlin serve --config dunlin.json", lines[1]);
        Assert.Equal(0, (await server.RunOtherAsync("bash", "-ec", lines[0])).Code);
        for (var i = 0; i < 2; i++)
        {
            await server.StartAsync("--config", "dunlin.json");
            var sent = await server.RunOtherAsync("bash", "-ec", shell[1].Replace("http://localhost:5090/", $"{server.Address}"));
            Assert.True(sent.Code == 0, sent.Output + sent.Error);
            await server.KillAsync();
        }
        await server.StartAsync("--config", "dunlin.json");
        var events = await EventsAsync(server.Address, "github/demo");
        Assert.Equal("""github.issues {"action":"opened","repository":{"name":"demo"}}""", Assert.Single(events));
    }

    [Fact]
    public async Task Two_servers_with_one_request_at_once_publish_one_event()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        (string Name, string Value)[] settings =
        [
            ("Store", postgres.ConnectionString),
            ("Hooks:Sources:0:Name", "shop"),
            ("Hooks:Sources:0:Scheme", "Hmac"),
            ("Hooks:Sources:0:Secrets:0", Secret),
            ("Hooks:Sources:0:IdHeader", "X-Id"),
        ];
        await using var here = await TestServer.StartAsync(settings);
        await using var there = await TestServer.StartAsync(settings);
        using HttpClient first = Calls.Client(here.Address, null),
            second = Calls.Client(there.Address, null);
        var statuses = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => SendAsync(i % 2 == 0 ? first : second, $"{i / 2}", $"{i / 4}"))
        );
        Assert.All(statuses, static status => Assert.Equal(200, status));
        var events = await EventsAsync(there.Address, "hooks/shop");
        Assert.Equal(
            Enumerable.Range(0, 20).Select(static i => $"hook.received {i / 2}").Order(StringComparer.Ordinal),
            events.Order(StringComparer.Ordinal)
        );
        Assert.Equal(401, await SendAsync(first, "x", "1", "another secret of it"));
    }

    [Theory]
    [InlineData("Hooks:Sources:0:Scheme", "Github2", "Github2")]
    [InlineData("Hooks:Sources:0:Secret", "a", "Secret")]
    [InlineData("Hooks:Sources:0:Secrets:0", "short", "the secret has 5 bytes")]
    public async Task A_wrong_setting_of_a_hook_stops_the_start(string name, string value, string text)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() =>
            TestServer.StartInProcessAsync(("Hooks:Sources:0:Name", "shop"), ("Hooks:Sources:0:Scheme", "Hmac"), (name, value))
        );
        Assert.Contains(text, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<int> SendAsync(HttpClient client, string id, string body, string secret = Secret)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/hooks/shop") { Content = new StringContent(body) };
        request.Headers.Add("X-Id", id);
        request.Headers.Add(
            "X-Signature",
            Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)))
        );
        using var response = await client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    private static async Task<List<string>> EventsAsync(Uri address, string topic)
    {
        var (_, page) = await Calls.SendAsync(
            address,
            Mint.User("ann", ("subscribe", "**")),
            HttpMethod.Get,
            $"/dunlin/v1/journal?topic={topic}"
        );
        return
        [
            .. page.GetProperty("events")
                .EnumerateArray()
                .Select(static e => $"{e.GetProperty("type")} {JsonSerializer.Serialize(e.GetProperty("data"))}"),
        ];
    }
}
