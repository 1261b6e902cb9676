using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>The receiver of docs/guides/webhooks.md verifies the messages of the real program with npm <c>standardwebhooks</c>.</summary>
[Trait("Store", "own")]
public sealed class WebhookGuideTests
{
    [Fact]
    public async Task Receiver_of_the_guide_verifies_both_secrets_of_a_rotation_and_no_other()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        server.Settings["Dunlin__Webhooks__Networks__0"] = "127.0.0.0/8";
        var block = Assert.Single(Repository.Blocks(Repository.Read("docs/guides/webhooks.md"), "js"));
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "receiver.mjs"), block, TestContext.Current.CancellationToken);
        Directory.CreateSymbolicLink(Path.Combine(server.Folder, "node_modules"), Path.Combine(Repository.Root, "node_modules"));
        var port = ServerProcess.FreePort().ToString(CultureInfo.InvariantCulture);
        await server.StartAsync("--webhooks");
        string[] remote = ["--server", $"{server.Address}", "--token", Mint.Backend()];
        var added = await Cli.JsonAsync(["webhooks", "add", $"http://127.0.0.1:{port}/", "orders/**", "--id", "shop", .. remote]);
        var former = added.GetProperty("secret").GetString()!;

        await using (var receiver = Start(server, port, former))
        {
            await WhenTestedAsync(remote);
            await Calls.PublishAsync(server.Address, Mint.Backend(), "orders/7", new { total = 12, name = "Zoë" }, "order.placed");
            await receiver.WhenSeenAsync(new Regex("""msg_\S+ order\.placed orders/7 {"total":12,"name":"Zoë"}"""));
        }
        var rotated = await Cli.JsonAsync(["webhooks", "rotate", "shop", .. remote]);
        foreach (var secret in new[] { former, rotated.GetProperty("secret").GetString()! })
        {
            await using var receiver = Start(server, port, secret);
            await WhenTestedAsync(remote);
            await receiver.WhenSeenAsync(new Regex("msg_test_.* webhook\\.test"));
        }
        await using (var stranger = Start(server, port, "whsec_" + Convert.ToBase64String(new byte[32])))
        {
            // Until the receiver listens, the test fails with another error.
            await Eventually.TrueAsync(async () => (await TestAsync(remote)).Error.Contains("status 401", StringComparison.Ordinal));
            await stranger.WhenSeenAsync(new Regex("No matching signature found"));
        }
    }

    private static ServerProcess Start(ServerProgram server, string port, string secret) =>
        server.StartOther("env", $"PORT={port}", $"WEBHOOK_SECRET={secret}", "node", "receiver.mjs");

    /// <summary>Sends test messages until the receiver listens and accepts one.</summary>
    private static Task WhenTestedAsync(string[] remote) => Eventually.TrueAsync(async () => (await TestAsync(remote)).Code == 0);

    private static Task<CliResult> TestAsync(string[] remote) => Cli.RunAsync(["webhooks", "test", "shop", .. remote]);
}
