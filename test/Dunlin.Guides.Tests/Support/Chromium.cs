using Dunlin.TestKit;
using Microsoft.Playwright;

namespace Dunlin.Guides.Tests.Support;

/// <summary>A headless Chromium in which each user has a profile of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const float PatienceMs = 60_000;

    private readonly ChromiumBrowser _chromium;
    private readonly string _address;

    private Chromium(ChromiumBrowser chromium, string address) => (_chromium, _address) = (chromium, address);

    /// <param name="address">The address of the program.</param>
    public static async Task<Chromium> StartAsync(string address)
    {
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        return new Chromium(await ChromiumBrowser.StartAsync(), address);
    }

    /// <summary>Opens the page of a user, who signs in first.</summary>
    public async Task<IPage> OpenAsync(string user, string query = "", BrowserNewContextOptions? options = null)
    {
        var context = await _chromium.Browser.NewContextAsync(options);
        context.SetDefaultTimeout(PatienceMs);
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => Faults.Add($"{user}: {error}");
        await page.GotoAsync($"{_address}/sign-in/{user}{query}");
        return page;
    }

    /// <summary>Errors that pages have not caught.</summary>
    public List<string> Faults { get; } = [];

    public ValueTask DisposeAsync() => _chromium.DisposeAsync();
}
