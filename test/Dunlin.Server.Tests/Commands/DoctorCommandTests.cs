using System.Text.Json;
using Dunlin.Server.Doctor;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The command <c>doctor</c>, directly and through real nginx configurations that break streams.</summary>
[Trait("Store", "own")]
public sealed class DoctorCommandTests : IDisposable
{
    private const string Good = "proxy_buffering off; proxy_read_timeout 24h; large_client_header_buffers 4 64k;";

    private const string Upgrading = Good + "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;";

    private const string Buffering =
        "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types text/event-stream; gzip_min_length 0; "
        + "large_client_header_buffers 4 64k;";

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-doctor-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_healthy_server_passes_all_checks()
    {
        await using var server = await StartAsync(1);
        var (code, levels) = await ExamineAsync(server.Address, Mint.User("ann@example.com"), "--patience", "60");
        Assert.Equal(0, code);
        Assert.All(
            levels.Where(level => level.Check != "clock"), // the Date header has whole seconds, and the machine may be busy
            level => Assert.True(level.Level == "ok", level.ToString())
        );
        Assert.Superset(
            new HashSet<string>(StringComparer.Ordinal)
            {
                "reachable",
                "version",
                "ready",
                "tls",
                "http",
                "clock",
                "keep-alive",
                "header size",
                "address size",
                "token",
                "access",
                "compression",
                "buffering",
                "heartbeat",
                "websocket",
                "long poll",
            },
            levels.Select(level => level.Check).ToHashSet(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Text_has_a_line_for_each_finding_and_its_remedy()
    {
        await using var server = await StartAsync(1);
        var (code, output, _) = await Cli.RunAsync("doctor", $"{server.Address}", "--data", _folder);
        Assert.Equal(0, code);
        Assert.Matches("(?m)^ok    reachable ", output);
        Assert.Matches("(?m)^warn  token         There is no token", output);
        Assert.Contains("Pass one with --token", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_of_the_server_is_compared_for_administrators_only()
    {
        await using var server = await StartAsync(1);
        var (_, levels) = await ExamineAsync(server.Address, Mint.Backend(), "--patience", "60");
        var release = levels.Single(level => level.Check == "release");
        Assert.Equal("ok", release.Level);
        var version = typeof(VersionCheck).Assembly.GetName().Version!.ToString(3);
        Assert.Equal($"The server runs Dunlin {version}, and this program is {version}.", release.Text);
        (_, levels) = await ExamineAsync(server.Address, Mint.User("ann"), "--patience", "60");
        Assert.DoesNotContain(levels, level => level.Check == "release");
    }

    [Theory]
    [InlineData("1.9.0", "1.0.0-rc.1", false)]
    [InlineData("0.2.7", "0.2.0", false)]
    [InlineData("2.0.0", "1.9.0", true)]
    [InlineData("0.3.0", "0.2.0", true)]
    [InlineData("1.0.0", "0.9.0", true)]
    public void Another_major_version_gives_a_warning(string theirs, string own, bool isWarning)
    {
        var finding = VersionCheck.Compare(theirs, own);
        Assert.Equal(isWarning ? FindingLevel.Warn : FindingLevel.Ok, finding.Level);
        Assert.Equal(isWarning, finding.Remedy is not null);
    }

    [Theory]
    [InlineData("""{"userId":"ann","version":null}""")]
    [InlineData("""{"userId":"ann"}""")]
    [InlineData("[]")]
    [InlineData("<html>")]
    public void An_answer_without_a_version_gives_no_finding(string stats) => Assert.Null(VersionCheck.Read(stats));

    [Fact]
    public async Task Nothing_listening_exits_with_3()
    {
        var url = $"http://127.0.0.1:{ServerProcess.FreePort()}";
        var (code, output, _) = await Cli.RunAsync("doctor", url, "--data", _folder);
        Assert.Equal(3, code);
        Assert.Contains("No answer from", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_web_server_is_recognised()
    {
        await using var server = await StartAsync(1);
        await using var nginx = await Proxies.StartNginxAsync(server.Address, "location /dunlin { return 200 'hello'; }");
        var (code, levels) = await ExamineAsync(nginx.Address, null);
        Assert.Equal(1, code);
        Assert.Contains(levels, level => level is { Check: "version", Level: "fail" });
    }

    [Fact]
    public async Task A_proxy_that_drops_Upgrade_gets_a_warning_about_WebSockets_only()
    {
        await using var server = await StartAsync(1);
        await using var nginx = await Proxies.StartNginxAsync(
            server.Address,
            $"{Good} proxy_set_header Upgrade ''; proxy_set_header Connection ''; proxy_hide_header Upgrade;"
        );
        var (code, levels) = await ExamineAsync(nginx.Address, Mint.User("ann"), "--patience", "60");
        Assert.True(code == 0, string.Join('\n', levels));
        var warning = Assert.Single(levels, level => level.Level != "ok" && level.Check != "clock");
        Assert.Equal(("websocket", "warn"), (warning.Check, warning.Level));
        Assert.Contains("proxy_set_header Upgrade $http_upgrade", warning.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_passes_Upgrade_passes_all_checks()
    {
        await using var server = await StartAsync(1);
        await using var nginx = await Proxies.StartNginxAsync(server.Address, Upgrading);
        var (code, levels) = await ExamineAsync(nginx.Address, Mint.User("ann"), "--patience", "60");
        Assert.True(code == 0, string.Join('\n', levels));
        Assert.DoesNotContain(levels, level => level.Level != "ok" && level.Check != "clock");
    }

    // The transports are examined where a proxy holds back streams: there clients need them.
    [Fact]
    public async Task Transports_pass_a_proxy_that_buffers_streams()
    {
        await using var server = await StartAsync(15);
        await using var nginx = await Proxies.StartNginxAsync(
            server.Address,
            Buffering + "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;"
        );
        var (code, levels) = await ExamineAsync(nginx.Address, Mint.User("ann"), "--patience", "3");
        Assert.Equal(1, code);
        Assert.Contains(levels, level => level is { Check: "buffering", Level: "fail" });
        Assert.Equal(["ok", "ok"], levels.Where(level => level.Check is "websocket" or "long poll").Select(level => level.Level));
    }

    [Theory]
    [InlineData("buffering", "fail", Buffering)]
    [InlineData("compression", "fail", Good + "gzip on; gzip_types text/event-stream; gzip_min_length 0; gzip_proxied any;")]
    [InlineData("heartbeat", "fail", "proxy_buffering off; proxy_read_timeout 1s; large_client_header_buffers 4 64k;")]
    [InlineData("address size", "warn", "proxy_buffering off; proxy_read_timeout 24h;")]
    [InlineData("header size", "warn", "proxy_buffering off; large_client_header_buffers 4 4k;")]
    [InlineData("keep-alive", "warn", Good + "keepalive_timeout 0;")]
    [InlineData(
        "websocket",
        "warn",
        Upgrading + "location = /dunlin/v1/events { if ($http_upgrade) { return 403; } proxy_http_version 1.1; proxy_pass SERVER; }"
    )]
    [InlineData(
        "long poll",
        "warn",
        Good + "location = /dunlin/v1/events { if ($arg_wait) { return 204; } proxy_http_version 1.1; proxy_pass SERVER; }"
    )]
    [InlineData("version", "fail", "location /dunlin { return 502; }")]
    public async Task A_proxy_that_breaks_something_is_found_out(string check, string level, string settings)
    {
        await using var server = await StartAsync(check is "buffering" or "heartbeat" ? 15 : 1);
        var target = server.Address.GetLeftPart(UriPartial.Authority);
        await using var nginx = await Proxies.StartNginxAsync(server.Address, settings.Replace("SERVER", target, StringComparison.Ordinal));
        var (code, levels) = await ExamineAsync(nginx.Address, Mint.User("ann"), "--patience", check == "buffering" ? "3" : "60");
        var found = Assert.Single(levels, finding => finding.Check == check);
        Assert.Equal(level, found.Level);
        Assert.NotEmpty(found.Remedy);
        Assert.Equal(level == "fail" ? 1 : 0, code);
    }

    [Fact]
    public async Task Refused_origin_is_explained_and_allowed_one_passes()
    {
        await using var server = await TestServer.StartAsync(("Origins:AllowedOrigins:0", "https://app.example.com"));
        var (code, levels) = await ExamineAsync(server.Address, null, "--origin", "https://app.example.com");
        Assert.Equal((0, "ok"), (code, levels.Single(level => level.Check == "cors").Level));
        (code, levels) = await ExamineAsync(server.Address, null, "--origin", "https://other.example.com");
        var refused = levels.Single(level => level.Check == "cors");
        Assert.Equal((1, "fail"), (code, refused.Level));
        Assert.Contains("AllowedOrigins__0=https://other.example.com", refused.Remedy, StringComparison.Ordinal);
        (code, levels) = await ExamineAsync(server.Address, null, "--origin", "https://app.example.com/");
        Assert.Equal((1, "fail"), (code, levels.Single(level => level.Check == "cors").Level));
    }

    [Fact]
    public async Task Refused_tokens_and_topics_are_explained()
    {
        await using var server = await StartAsync(1);
        (string Token, string Check, string Text)[] refused =
        [
            ("x", "token", "no JWT"),
            (Mint.Token("ann", [], ("exp", 1_700_000_000)), "token", "expired"),
            (Mint.Token("ann", [], ("nbf", 4_000_000_000)), "token", "valid from"),
            (Mint.Token("ann", [], ("aud", "others")), "access", "others"),
            (Mint.Token("ann", [], ("iss", "others")), "access", "unknown issuer 'others'"),
        ];
        foreach (var (token, check, text) in refused)
        {
            var (code, levels) = await ExamineAsync(server.Address, token);
            Assert.Equal(1, code);
            Assert.Contains(levels, level => level.Check == check && level.Text.Contains(text, StringComparison.Ordinal));
        }
        var (failed, findings) = await ExamineAsync(server.Address, Mint.User("ann", ("subscribe", "a/*")), "--topic", "b/1");
        Assert.Equal(1, failed);
        var topic = findings.Single(level => level.Check == "topic");
        Assert.Contains("It grants subscribe for 'a/*'", topic.Text, StringComparison.Ordinal);
        Assert.Contains("covers 'b/1'", topic.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_settings_give_the_exact_reason()
    {
        await using var server = await StartAsync(1);
        var config = Path.Combine(_folder, "dunlin.json");
        await File.WriteAllTextAsync(config, $$"""{"Dunlin": {"Tokens": {"SigningKey": "{{Mint.KeyText}}"} } }""");
        var (code, levels) = await ExamineAsync(server.Address, Mint.Token("ann", [], ("aud", "others")), "--config", config);
        Assert.Equal(1, code);
        Assert.Contains("wrongAudience", levels.Single(level => level.Check == "access").Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doctor", "ftp://example.com")]
    [InlineData("doctor", "example.com")]
    [InlineData("doctor", "--patience", "0")]
    public async Task Wrong_arguments_exit_with_2(params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.NotEmpty(error);
    }

    private static Task<TestServer> StartAsync(int heartbeatSeconds) =>
        TestServer.StartAsync(("Streams:Heartbeat", $"00:00:{heartbeatSeconds:00}"));

    private async Task<(int Code, List<Result> Levels)> ExamineAsync(Uri server, string? token, params string[] arguments)
    {
        string[] all =
        [
            "doctor",
            $"{server}",
            "--data",
            _folder,
            "--output",
            "json",
            .. token is null ? Array.Empty<string>() : ["--token", token],
            .. arguments,
        ];
        var (code, output, _) = await Cli.RunAsync(all);
        var findings = JsonDocument.Parse(output).RootElement.GetProperty("findings").EnumerateArray();
        return (
            code,
            [
                .. findings.Select(finding => new Result(
                    finding.GetProperty("check").GetString()!,
                    finding.GetProperty("level").GetString()!,
                    finding.GetProperty("text").GetString()!,
                    finding.TryGetProperty("remedy", out var remedy) ? remedy.GetString()! : ""
                )),
            ]
        );
    }

    private sealed record Result(string Check, string Level, string Text, string Remedy);
}
