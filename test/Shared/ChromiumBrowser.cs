using Microsoft.Playwright;

namespace Dunlin.TestKit;

/// <summary>A headless Chromium without network services of its own. Disposal closes it.</summary>
internal sealed class ChromiumBrowser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;

    private ChromiumBrowser(IPlaywright playwright, IBrowser browser) => (_playwright, Browser) = (playwright, browser);

    // Chromium without the code of its windows, which Playwright itself uses for headless runs. Pages load in a third of the time.
    private const string HeadlessShell = "/usr/bin/chromium-headless-shell";

    /// <summary>The program: <c>DUNLIN_CHROMIUM</c>, the headless shell of Chromium, or Chromium.</summary>
    public static string Program { get; } =
        Environment.GetEnvironmentVariable("DUNLIN_CHROMIUM") ?? (File.Exists(HeadlessShell) ? HeadlessShell : "/usr/bin/chromium");

    public static IReadOnlyList<string> Arguments { get; } =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];

    public IBrowser Browser { get; }

    /// <param name="arguments">Further arguments of the program.</param>
    public static async Task<ChromiumBrowser> StartAsync(params string[] arguments)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Program, Args = [.. Arguments, .. arguments] }
        );
        return new ChromiumBrowser(playwright, browser);
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        _playwright.Dispose();
    }
}
