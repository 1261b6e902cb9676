using System.Security.Cryptography;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dunlin.Server.Tests;

/// <summary>The commands and the configuration of the program.</summary>
[Trait("Store", "own")]
public sealed class CommandTests : IAsyncLifetime
{
    private readonly ServerProgram _program = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    [Fact]
    public async Task A_created_token_opens_its_topics()
    {
        await _program.StartAsync();
        // Prints its address, its storage and the accepted token issuers.
        foreach (
            var text in new[]
            {
                "Dunlin is at http://127.0.0.1:",
                Path.Combine(_program.Data, "dunlin.db"),
                Path.Combine(_program.Data, "signing.key"),
                "issuer 'dunlin', audience 'dunlin'",
                "no CORS headers",
            }
        )
            await WhenSaidAsync(text);
        var reader = await TokenAsync("--subject", "alice", "--subscribe", "a/*", "b");
        var backend = await TokenAsync("--subject", "backend", "--publish", "**", "--role", "admin", "--minutes", "5");
        Assert.Equal(200, (await Calls.TryOpenAsync(_program.Address, reader, "topic=a/1&topic=b")).Status);
        Assert.Equal(403, (await Calls.TryOpenAsync(_program.Address, reader, "topic=c")).Status);
        Assert.Equal("ok", await Calls.TryPublishAsync(_program.Address, backend, "a/1"));
        Assert.Equal(200, (await Calls.SendAsync(_program.Address, backend, HttpMethod.Get, "/dunlin/v1/connections?user=alice")).Status);
        Assert.Equal(200, (await Calls.SendAsync(_program.Address, null, HttpMethod.Get, "/openapi/v1.json")).Status);
    }

    [Theory]
    [InlineData("--subscribe", "a*", "'*' must be a whole segment")]
    [InlineData("--publish", "a/**/b", "'**' must be the last segment")]
    [InlineData("--subscribe", "ü", "other characters")]
    [InlineData("--minutes", "0", "must last at least one second")]
    public async Task A_token_that_would_be_refused_is_not_made(string option, string value, string reason)
    {
        var (code, output, error) = await _program.RunCommandAsync("token", "--data", _program.Data, "--subject", "alice", option, value);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_prints_why_a_token_is_refused()
    {
        _program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        var (code, output, _) = await CheckAsync("--token", Mint.User("ann"));
        Assert.Equal(0, code);
        Assert.Contains("would be taken", output, StringComparison.Ordinal);
        (string Token, string Reason)[] refused =
        [
            (Mint.Token("ann", [], ("aud", "others")), "wrongAudience"),
            (Mint.Token("ann", [], ("iss", "others")), "unknownIssuer"),
            (Mint.Token("ann", [], ("exp", 1_700_000_000)), "expired"),
            (Mint.Token("ann", [("subscribe", "a*")]), "badClaim"),
            (Mint.Sign(RandomNumberGenerator.GetBytes(32), Mint.Claims("ann", [])), "wrongSignature"),
        ];
        foreach (var (token, reason) in refused)
        {
            var (failed, _, error) = await CheckAsync("--token", token);
            Assert.Equal((1, $"dunlin: the token is refused: {reason}\n"), (failed, error));
        }
        // Reading the configuration creates no files.
        Assert.False(Directory.Exists(_program.Data));
    }

    [Theory]
    [InlineData("Dunlin__Tokns__Issuer", "x", "Dunlin:Tokns is not a setting")]
    [InlineData("Dunlin__Tokens__Audiance", "x", "Dunlin:Tokens:Audiance is not a setting")]
    [InlineData("Dunlin__Tokens__TrustedIssuers__0__Kays__0", "x", "'Kays'")]
    [InlineData("Dunlin__Tokens__SigningKey", "c2hvcnQ=", "AccessTokenOptions.SigningKey: too short")]
    [InlineData("Dunlin__Streams__MaxPerUser", "0", "MaxPerUser")]
    [InlineData("Dunlin__Streams__MaxPerUser", "many", "Dunlin:Streams:MaxPerUser")]
    [InlineData("Dunlin__Port", "80000", "Dunlin:Port")]
    [InlineData("Dunlin__Address", "example.com", "Dunlin:Address")]
    [InlineData("Dunlin__Redis", "localhost:6379", "--redis needs --store")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string name, string value, string reason)
    {
        _program.Settings[name] = value;
        foreach (var command in new string[][] { ["check"], ["--port", "0"] })
        {
            if (command.Length == 2 && name == "Dunlin__Port")
                continue; // the command line overrides the file
            var (code, _, error) = await _program.RunCommandAsync([.. command, "--data", _program.Data]);
            Assert.Equal(1, code);
            Assert.Contains(reason, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Command_line_overrides_environment_and_environment_overrides_file()
    {
        var file = Path.Combine(_program.Folder, "dunlin.json");
        await File.WriteAllTextAsync(
            file,
            """{"Dunlin": {"Port": 1111, "Address": "127.0.0.2", "Tokens": {"Issuer": "of the file", "Audience": "of the file"}}}"""
        );
        _program.Settings["Dunlin__Tokens__Audience"] = "of the environment";
        _program.Settings["Dunlin__Port"] = "2222";
        var (_, output, _) = await CheckAsync("--config", file);
        Assert.Contains("http://127.0.0.2:2222", output, StringComparison.Ordinal);
        Assert.Contains("issuer 'of the file', audience 'of the environment'", output, StringComparison.Ordinal);
        (_, output, _) = await CheckAsync("--config", file, "--port", "3333");
        Assert.Contains("http://127.0.0.2:3333", output, StringComparison.Ordinal);
        var (code, _, error) = await CheckAsync("--config", file + ".missing");
        Assert.Equal(1, code);
        Assert.Contains("dunlin.json.missing", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_naming_the_first()
    {
        await _program.StartAsync();
        var (code, _, error) = await _program.RunCommandAsync("--data", _program.Data, "--port", "0");
        Assert.Equal(1, code);
        Assert.Contains("dunlin.db", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_option_is_named()
    {
        var (code, _, error) = await _program.RunCommandAsync("--colour", "red");
        Assert.Equal(2, code);
        Assert.Contains("--colour", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_is_live_and_ready_and_exports_metrics_to_the_named_collector()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        collector.MapPost(
            "/v1/metrics",
            async (HttpContext context) =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                if (System.Text.Encoding.Latin1.GetString(body.ToArray()).Contains("dunlin.fanout.connections", StringComparison.Ordinal))
                    received.TrySetResult();
            }
        );
        await collector.StartAsync();
        _program.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.Single();
        _program.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        _program.Settings["OTEL_METRIC_EXPORT_INTERVAL"] = "100";
        _program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await _program.StartAsync();
        await using var reader = await Calls.OpenAsync(_program.Address, Mint.User("ann"), "topic=users/ann");
        await received.Task.WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var (path, text) in new[] { ("live", "live"), ("ready", "ready") })
        {
            using var client = Calls.Client(_program.Address, null);
            Assert.Equal(text, await client.GetStringAsync("/healthz/" + path));
        }
    }

    private async Task<string> TokenAsync(params string[] arguments)
    {
        var (code, output, error) = await _program.RunCommandAsync(["token", "--data", _program.Data, .. arguments]);
        Assert.True(code == 0, error);
        return output.Trim();
    }

    private Task<ProgramResult> CheckAsync(params string[] arguments) =>
        _program.RunCommandAsync(["check", "--data", _program.Data, .. arguments]);

    private Task WhenSaidAsync(string text) => _program.WhenSeenAsync(text);
}
