using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(BrowserFixture))]

namespace Dunlin.E2E.Tests.Support;

/// <summary>One Chromium for all tests; each user of each test has a context (cookies, storage) of their own.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>A name of this machine under which pages have no secure context, as under the address of a local network.</summary>
    public const string InsecureName = "dunlin.test";

    private IPlaywright? _playwright;

    public IBrowser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // What a page does after a failure waits for its backoff, up to some seconds; and the machine may be busy. Costs time only
        // where a test fails.
        Assertions.SetDefaultExpectTimeout(30_000);
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Environment.GetEnvironmentVariable("DUNLIN_CHROMIUM") ?? "/usr/bin/chromium",
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    // Loopback by a name that browsers do not know to be loopback: a page on plain http that is no secure context.
                    $"--host-resolver-rules=MAP {InsecureName} 127.0.0.1",
                ],
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
            await Browser.CloseAsync();
        _playwright?.Dispose();
    }
}
