using Microsoft.Playwright;

namespace Dunlin.Guides.Tests.Support;

/// <summary>A headless Chromium in which each user has a profile of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const float PatienceMs = 60_000;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly string _address;

    private Chromium(IPlaywright playwright, IBrowser browser, string address) =>
        (_playwright, _browser, _address) = (playwright, browser, address);

    /// <param name="address">The address of the program.</param>
    public static async Task<Chromium> StartAsync(string address)
    {
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Environment.GetEnvironmentVariable("DUNLIN_CHROMIUM") ?? "/usr/bin/chromium",
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            }
        );
        return new Chromium(playwright, browser, address);
    }

    /// <summary>Opens the page of a user, who signs in first.</summary>
    public async Task<IPage> OpenAsync(string user, string query = "")
    {
        var context = await _browser.NewContextAsync();
        context.SetDefaultTimeout(PatienceMs);
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => Faults.Add($"{user}: {error}");
        await page.GotoAsync($"{_address}/sign-in/{user}{query}");
        return page;
    }

    /// <summary>Errors that pages have not caught.</summary>
    public List<string> Faults { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
