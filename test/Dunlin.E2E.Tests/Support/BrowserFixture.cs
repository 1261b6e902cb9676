using Dunlin.E2E.Tests.Support;
using Dunlin.TestKit;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(BrowserFixture))]

namespace Dunlin.E2E.Tests.Support;

/// <summary>One Chromium for all tests. Each user of each test has its own context with cookies and storage.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>A name of this machine that is no secure context, as an address in a local network.</summary>
    public const string InsecureName = "dunlin.test";

    private ChromiumBrowser? _chromium;

    public IBrowser Browser => _chromium!.Browser;

    public async ValueTask InitializeAsync()
    {
        // A page may retry after a back-off of several seconds on a busy machine. Only failing tests wait so long.
        Assertions.SetDefaultExpectTimeout(30_000);
        // Maps a name to loopback that browsers do not treat as loopback, so that plain http is an insecure context.
        _chromium = await ChromiumBrowser.StartAsync($"--host-resolver-rules=MAP {InsecureName} 127.0.0.1");
    }

    public ValueTask DisposeAsync() => _chromium?.DisposeAsync() ?? default;
}
