using System.Collections.Concurrent;
using System.Net;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Dunlin.Server.Tests;

/// <summary>
/// Runs the two TypeScript blocks of docs/start/as-a-server.md in Chromium, on pages of another origin, with the built client.
/// </summary>
[Trait("Store", "own")]
public sealed class BrowserTests
{
    private const string Shown = "https://events.example.com"; // the address in the page, which the tests replace by the real one

    [Fact]
    public async Task Both_client_examples_receive_every_event_across_kill_9()
    {
        var blocks = Repository.Blocks(Repository.Read("docs/start/as-a-server.md"), "ts");
        Assert.Equal(2, blocks.Count);
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await using var pages = Pages();
        await pages.StartAsync();
        var origin = pages.Urls.Single();
        server.Settings["Dunlin__Origins__AllowedOrigins__0"] = origin;
        await server.StartAsync();
        var scripts = new[] { "client", "eventsource" }.Zip(
            blocks,
            (name, block) => (name, block.Replace(Shown, server.Address.ToString().TrimEnd('/'), StringComparison.Ordinal))
        );
        foreach (var (name, block) in scripts)
            pages.Services.GetRequiredService<ConcurrentDictionary<string, string>>()[name] = await TranspileAsync(server, block);

        await using var chromium = await ChromiumBrowser.StartAsync();
        var browser = chromium.Browser;
        var (client, native) = (await OpenAsync(browser, origin + "/client"), await OpenAsync(browser, origin + "/eventsource"));
        await WhenConnectedAsync(server, 2);
        await PublishAsync(server, "one");
        await client.WhenSaidAsync("one");
        await native.WhenSaidAsync("one");

        await server.KillAsync();
        // Both have tried to reconnect before the server is back.
        await client.WhenSaidAsync("ERR_CONNECTION_REFUSED");
        await native.WhenSaidAsync("ERR_CONNECTION_REFUSED");
        await server.StartAsync();
        await PublishAsync(server, "two");
        await PublishAsync(server, "three");
        await client.WhenSaidAsync("three");
        await native.WhenSaidAsync("three");
        Assert.Equal(["one", "two", "three"], client.Texts);
        Assert.Equal(["one", "two", "three"], native.Texts);
    }

    /// <summary>The application's own site: pages, an endpoint for tokens, and the built client.</summary>
    private static WebApplication Pages()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var scripts = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        builder.Services.AddSingleton(scripts);
        var app = builder.Build();
        var built = Path.Combine(Repository.Root, "clients", "typescript", "dist");
        Assert.True(Directory.Exists(built), "The client has not been built. Run ./test.sh, or: npm ci && npm run build");
        app.UseStaticFiles(new StaticFileOptions { RequestPath = "/dunlin", FileProvider = new PhysicalFileProvider(built) });
        app.MapGet("/my-back-end/dunlin-token", () => Mint.User("alice", ("subscribe", "teams/7/**")));
        app.MapGet("/{name}.js", (string name) => Results.Text(scripts[name], "text/javascript"));
        app.MapGet("/client", () => Page("import '/client.js';"));
        app.MapGet(
            "/eventsource",
            () =>
                Page(
                    "import { listen } from '/eventsource.js'; void listen(async () => (await fetch('/my-back-end/dunlin-token')).text());"
                )
        );
        return app;
    }

    private static IResult Page(string script) =>
        Results.Text(
            $$$"""<!doctype html><script type="importmap">{"imports": {"@dunlin/client": "/dunlin/index.js"}}</script><script type="module">{{{script}}}</script>""",
            "text/html"
        );

    /// <summary>Removes the types.</summary>
    private static async Task<string> TranspileAsync(ServerProgram server, string script)
    {
        const string program =
            "const ts = require(process.argv[1]); process.stdout.write(ts.transpileModule(process.argv[2], { compilerOptions: { target: 'ES2022', module: 'ESNext' } }).outputText)";
        var (code, output, error) = await server.RunOtherAsync(
            "node",
            "-e",
            program,
            Path.Combine(Repository.Root, "node_modules", "typescript"),
            script
        );
        Assert.True(code == 0, error);
        return output;
    }

    private static async Task<Said> OpenAsync(IBrowser browser, string address)
    {
        var page = await browser.NewPageAsync();
        var said = new Said(page);
        await page.GotoAsync(address);
        return said;
    }

    private static async Task WhenConnectedAsync(ServerProgram server, int streams)
    {
        // Each attempt is a request, which gives the pages time.
        for (var attempt = 0; attempt < 5_000; attempt++)
        {
            var (_, answer) = await Calls.SendAsync(server.Address, Mint.Backend(), HttpMethod.Get, "/dunlin/v1/connections?user=alice");
            if (answer.GetProperty("connections").GetArrayLength() == streams)
                return;
        }
        Assert.Fail($"The pages have not opened {streams} streams.");
    }

    private static Task PublishAsync(ServerProgram server, string text) =>
        Calls.PublishAsync(server.Address, Mint.Backend(), "teams/7/chat", new { text }, "message.sent");

    /// <summary>The console output of a page: the text, or an object that contains it.</summary>
    private sealed class Said
    {
        private readonly Lock _gate = new(); // guards _texts, _errors and _waiting
        private readonly List<string> _texts = [];
        private readonly List<string> _errors = [];
        private (string Text, TaskCompletionSource Seen)? _waiting;

        public Said(IPage page) => page.Console += (_, message) => Take(message.Type, message.Text);

        public IReadOnlyList<string> Texts
        {
            get
            {
                lock (_gate)
                    return [.. _texts];
            }
        }

        /// <summary>Waits for a text, or for an error of the browser that contains it.</summary>
        public async Task WhenSaidAsync(string text)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                if (HasSaid(text))
                    return;
                _waiting = (text, seen);
            }
            try
            {
                await seen.Task.WaitAsync(TimeSpan.FromSeconds(90));
            }
            catch (TimeoutException late)
            {
                throw new InvalidOperationException($"'{text}' did not come; said: {string.Join(" | ", Texts.Concat(_errors))}", late);
            }
        }

        private bool HasSaid(string text) =>
            _texts.Contains(text, StringComparer.Ordinal) || _errors.Exists(error => error.Contains(text, StringComparison.Ordinal));

        private void Take(string type, string text)
        {
            lock (_gate)
            {
                // The test breaks connections, which the browser logs as errors.
                if (type == "log")
                    _texts.Add(text.StartsWith("{text: ", StringComparison.Ordinal) ? text["{text: ".Length..^1] : text);
                else
                    _errors.Add(text);
                if (_waiting is { } waiting && HasSaid(waiting.Text))
                    waiting.Seen.TrySetResult();
            }
        }
    }
}
