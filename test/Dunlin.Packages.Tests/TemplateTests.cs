using System.Text.RegularExpressions;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Packages.Tests;

/// <summary>The templates, installed, built and run in an empty folder with the packages only, and their pages in Chromium.</summary>
public sealed partial class TemplateTests
{
    private const float PatienceMs = 90_000;

    [Fact]
    public async Task A_page_of_dunlin_web_shows_what_another_page_sends()
    {
        await using var workspace = new Workspace();
        await CreateAsync(workspace, "dunlin-web", "My.Live");
        await using var run = await Running.StartAsync(workspace, "My.Live");
        await using var chromium = await ChromiumBrowser.StartAsync();
        var (one, two) = (await OpenAsync(chromium, run.Address), await OpenAsync(chromium, run.Address));
        foreach (var page in new[] { one, two })
            await Expect(page.Locator("#state")).ToHaveTextAsync("Real-time updates active");
        await SendAsync(one, "hello");
        await Expect(two.Locator("#messages li")).ToHaveTextAsync([new Regex("^Guest [0-9]+: hello$")]);

        // Both pages receive an event that is sent right after a restart.
        await run.RestartAsync();
        await SendAsync(two, "again");
        foreach (var page in new[] { one, two })
            await Expect(page.Locator("#messages li").Last).ToHaveTextAsync(new Regex("again"));
    }

    [Fact]
    public async Task Dunlin_web_refuses_strangers_and_empty_messages()
    {
        await using var workspace = new Workspace();
        await CreateAsync(workspace, "dunlin-web", "Live");
        await using var run = await Running.StartAsync(workspace, "Live");
        using var client = new HttpClient(new HttpClientHandler { UseCookies = true });
        client.BaseAddress = run.Address;
        (await client.SendJsonAsync("POST", "/api/rooms/lobby/messages", new { text = "x" })).Is(401, "not_signed_in");
        (await client.SendJsonAsync("GET", "/dunlin/v1/events?topic=rooms/lobby")).Is(401, "not_signed_in");
        (await client.SendJsonAsync("POST", "/api/guest")).Ok();
        Assert.Equal(400, (await client.SendJsonAsync("POST", "/api/rooms/lobby/messages", new { text = "" })).Status);
        (
            await client.SendJsonAsync(
                "POST",
                "/dunlin/v1/events",
                new
                {
                    topic = "rooms/lobby",
                    type = "x",
                    data = 1,
                }
            )
        ).Is(403, "forbidden");
        Assert.Equal("ready", await client.GetStringAsync("/healthz/ready", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_users_of_dunlin_app_see_the_same_tasks()
    {
        await using var workspace = new Workspace();
        await CreateAsync(workspace, "dunlin-app", "Work");
        await using var run = await Running.StartAsync(workspace, "Work");
        await using var chromium = await ChromiumBrowser.StartAsync();
        var (ann, bob) = (await OpenAsync(chromium, run.Address), await OpenAsync(chromium, run.Address));
        await RegisterAsync(ann, "ann@example.org", "short");
        await Expect(ann.Locator("#problem")).ToContainTextAsync("Passwords must");
        await RegisterAsync(ann, "ann@example.org", "Correct-horse-1");
        await Expect(ann.Locator("#name")).ToHaveTextAsync("ann@example.org");
        await RegisterAsync(bob, "bob@example.org", "Correct-horse-2");
        await Expect(bob.Locator("#state")).ToHaveTextAsync("Real-time updates active");
        await ann.FillAsync("#title", "Buy milk");
        await ann.ClickAsync("#form button");
        await Expect(bob.Locator("#tasks li")).ToHaveTextAsync(["Buy milk (ann@example.org)"]);
        await bob.Locator("#tasks input").CheckAsync();
        await Expect(ann.Locator("#tasks input")).ToBeCheckedAsync();

        await run.RestartAsync();
        await ann.ReloadAsync();
        await Expect(ann.Locator("#tasks li")).ToHaveTextAsync(["Buy milk (ann@example.org)"]);
        await Expect(ann.Locator("#tasks input")).ToBeCheckedAsync();
        using var stranger = new HttpClient { BaseAddress = run.Address };
        (await stranger.SendJsonAsync("GET", "/api/tasks")).Is(401, "not_signed_in");
    }

    private static async Task CreateAsync(Workspace workspace, string template, string name)
    {
        await workspace.RunAsync($"dotnet new install packages/Dunlin.Templates.{Packed.Version}.nupkg");
        await workspace.RunAsync($"dotnet new {template} -o {name} --packages \"$PWD/packages\"");
        await workspace.RunAsync($"cd {name} && dotnet build --nologo -v quiet -p:TreatWarningsAsErrors=true");
    }

    private static async Task<IPage> OpenAsync(ChromiumBrowser chromium, Uri address)
    {
        SetDefaultExpectTimeout(PatienceMs);
        var context = await chromium.Browser.NewContextAsync();
        context.SetDefaultTimeout(PatienceMs);
        var page = await context.NewPageAsync();
        await page.GotoAsync(address.ToString());
        return page;
    }

    private static async Task SendAsync(IPage page, string text)
    {
        await page.FillAsync("#text", text);
        await page.ClickAsync("#form button");
        await Expect(page.Locator("#text")).ToHaveValueAsync("");
    }

    private static async Task RegisterAsync(IPage page, string email, string password)
    {
        await page.FillAsync("#email", email);
        await page.FillAsync("#password", password);
        await page.ClickAsync("text=Register");
    }

    /// <summary>A program of the workspace, which can be restarted on its port.</summary>
    private sealed class Running(Workspace workspace, string name) : IAsyncDisposable
    {
        private ServerProcess _process = null!;

        public Uri Address { get; private set; } = new("http://127.0.0.1:0");

        public static async Task<Running> StartAsync(Workspace workspace, string name)
        {
            var run = new Running(workspace, name);
            await run.StartAsync();
            return run;
        }

        public async Task RestartAsync()
        {
            await _process.DisposeAsync();
            await StartAsync();
        }

        public ValueTask DisposeAsync() => _process.DisposeAsync();

        private async Task StartAsync()
        {
            _process = workspace.Start($"cd {name} && exec dotnet run --no-build --urls {Address.GetLeftPart(UriPartial.Authority)}");
            Address = new Uri((await _process.WhenSeenAsync(Listening())).Groups["address"].Value);
        }
    }

    [GeneratedRegex(@"Now listening on: (?<address>\S+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();
}
