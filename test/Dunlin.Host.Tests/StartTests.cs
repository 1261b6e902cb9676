using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Dunlin.Host.Tests;

public sealed partial class StartTests
{
    [Theory]
    [InlineData("--port", "--port needs a value")]
    [InlineData("--port abc", "--port must be a number")]
    [InlineData("--port 70000", "--port must be a number")]
    [InlineData("--address", "--address needs a value")]
    [InlineData("--address 8080", "--address must be an IP address such as 127.0.0.1 or 0.0.0.0, not '8080'")]
    [InlineData("--colour red", "Unknown option '--colour'")]
    public void An_invalid_option_is_named(string args, string error) =>
        Assert.Contains(error, HostSettings.Parse(args.Split(' ')).Error, StringComparison.Ordinal);

    [Fact]
    public void Command_line_options_apply()
    {
        var settings = HostSettings.Parse(["--port", "5081", "--data", "/x", "--no-demo"]);
        Assert.Equal((5081, "/x", false, null), (settings.Port, settings.Data, settings.Demo, settings.Error));
        Assert.True(HostSettings.Parse(["--help"]).ShowHelp);
        Assert.Equal(IPAddress.Loopback, settings.Address);
        Assert.Equal(IPAddress.Any, HostSettings.Parse(["--address", "0.0.0.0"]).Address);
    }

    [Fact]
    public async Task Address_option_moves_the_listener_and_its_announcement()
    {
        await using var host = new HostProcess();
        await host.StartAsync("--address", "127.0.0.2");
        Assert.Equal("127.0.0.2", host.Address.Host);
        using var client = new HttpClient { BaseAddress = host.Address };
        Assert.Equal("ready", await client.GetStringAsync("/healthz/ready", TestContext.Current.CancellationToken));
        Assert.DoesNotContain("Warning", host.Output, StringComparison.Ordinal);
        await host.WhenSeenAsync($"curl -sNb jar '{host.Address.GetLeftPart(UriPartial.Authority)}/dunlin/v1/events?topic=users/alice'");
    }

    [Fact]
    public void Demo_accounts_on_a_public_address_give_a_warning()
    {
        var settings = HostSettings.Parse(["--address", "0.0.0.0"]);
        Assert.Contains(
            Announcement.Lines(settings, "http://0.0.0.0:5080"),
            line => line.StartsWith("Warning: ", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            Announcement.Lines(settings with { Demo = false }, "http://0.0.0.0:5080"),
            line => line.Contains("alice", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Without_demo_mode_there_are_no_demo_accounts()
    {
        await using var host = new HostProcess();
        await host.StartAsync("--no-demo");
        Assert.DoesNotContain("Demo accounts", host.Output, StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = host.Address };
        using var login = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = "alice", password = DemoData.Password });
        Assert.Equal(HttpStatusCode.Unauthorized, login.StatusCode);
        using var list = await client.GetAsync("/api/v1/demo");
        Assert.Equal(HttpStatusCode.NotFound, list.StatusCode);
    }

    [Fact]
    public async Task A_session_and_its_token_survive_a_host_restart()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = await host.SignInAsync("bob");
        await host.KillAsync();
        await host.StartAsync();
        using var branches = await client.GetAsync("/api/warranty/branches");
        Assert.Equal(HttpStatusCode.OK, branches.StatusCode);
    }

    [Fact]
    public async Task Pages_are_revalidated_and_hashed_files_are_cached()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        foreach (var path in new[] { "/", "/todos", "/todos/demo-desk", "/documents", "/focus", "/branch/1", "/wishlists" })
        {
            using var page = await client.GetAsync(path);
            Assert.Equal(
                (HttpStatusCode.OK, "text/html", "no-cache"),
                (page.StatusCode, page.Content.Headers.ContentType?.MediaType, $"{page.Headers.CacheControl}")
            );
        }
        var script = ScriptAddress().Match(await client.GetStringAsync("/")).Value;
        using var asset = await client.GetAsync(script);
        Assert.Equal((HttpStatusCode.OK, TimeSpan.FromDays(365)), (asset.StatusCode, asset.Headers.CacheControl!.MaxAge));
    }

    [Fact]
    public async Task The_OpenAPI_document_names_the_endpoints()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        var document = await client.GetStringAsync("/openapi/v1.json");
        foreach (
            var path in new[]
            {
                "/dunlin/v1/events",
                "/dunlin/v1/leases",
                "/dunlin/v1/journal",
                "/api/v1/auth/login",
                "/api/warranty/cases/{id}",
            }
        )
            Assert.Contains($"\"{path}\"", document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_above_the_file_limit_are_refused_and_the_host_survives()
    {
        await using var host = new HostProcess { OpenFiles = 700 };
        await host.StartAsync("--no-demo");
        using var earlier = new HttpClient { BaseAddress = host.Address };
        Assert.Equal(HttpStatusCode.OK, (await earlier.GetAsync("/healthz/live")).StatusCode);
        var sockets = new List<Socket>();
        try
        {
            var refused = 0;
            for (var i = 0; i < 900; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
                sockets.Add(socket);
                await socket.ConnectAsync(host.Address.Host, host.Address.Port);
                // Wait for an answer or a close before the next connection, so that all were accepted.
                if (!IsServed(socket))
                    refused++;
            }
            Assert.InRange(refused, 900 - 700, 700);
            // Earlier connections are still served.
            Assert.Equal(HttpStatusCode.OK, (await earlier.GetAsync("/healthz/live")).StatusCode);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
        Assert.False(host.HasEnded, host.Output);
        // The server notices closed connections later, so retry.
        var isServedAgain = false;
        for (var attempt = 0; attempt < 1_000 && !isServedAgain; attempt++)
        {
            using var later = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
            await later.ConnectAsync(host.Address.Host, host.Address.Port);
            isServedAgain = IsServed(later);
        }
        Assert.True(isServedAgain, host.Output);
    }

    private static bool IsServed(Socket socket)
    {
        try
        {
            socket.Send("GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"u8);
            return socket.Receive(new byte[1]) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [GeneratedRegex("/assets/[^\"]+[.]js")]
    private static partial Regex ScriptAddress();
}
