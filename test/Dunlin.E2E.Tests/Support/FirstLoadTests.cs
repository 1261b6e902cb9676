using System.Globalization;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>What a browser transfers before a page is ready.</summary>
public sealed class FirstLoadTests(BrowserFixture browser)
{
    /// <summary>Limit of script and style on the wire, in bytes.</summary>
    private const int Limit = 150 * 1024;

    /// <summary>Parts that the wish lists load after their first sync, which may be before or after the count.</summary>
    private static readonly string[] LaterParts = ["ItemDialog", "ListDialog", "ShareDialog", "AppDialog", "TextField", "ru"];

    public static TheoryData<string> Systems => [.. SystemPage.Names, "landing"];

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task First_load_transfers_at_most_150_KiB_of_script_and_style(string name)
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/no-such-page");
        // The page of the sign-in has loaded what all pages share.
        var shared = await page.EvaluateAsync<string[]>("() => performance.getEntriesByType('resource').map(entry => entry.name)");
        var loaded = new List<IResponse>();
        page.Response += (_, response) =>
        {
            if (response.Request.ResourceType is "script" or "stylesheet" && !shared.Contains(response.Url) && !IsLater(response.Url))
                lock (loaded)
                    loaded.Add(response);
        };
        if (name == "landing")
        {
            await page.GotoAsync(host.Address.ToString());
            await Expect(page.Locator("[data-user=alice]")).ToBeVisibleAsync();
        }
        else
        {
            var system = SystemPage.Of(name);
            await page.GotoAsync(new Uri(host.Address, system.Path).ToString());
            await system.ReadyAsync(page);
        }
        IResponse[] all;
        lock (loaded)
            all = [.. loaded];
        Assert.NotEmpty(all);
        var lines = new List<string>();
        var sum = 0;
        foreach (var response in all)
        {
            // Not the size that the browser reports: it differs from run to run, and is negative for cached files.
            var body = int.Parse(await response.HeaderValueAsync("content-length") ?? "", CultureInfo.InvariantCulture);
            sum += body;
            lines.Add($"{body, 8} {response.Headers.GetValueOrDefault("content-encoding")} {new Uri(response.Url).AbsolutePath}");
            // Below the smallest size that the build compresses, a file is sent as it is.
            Assert.True(body < 512 || response.Headers.GetValueOrDefault("content-encoding") is "br" or "gzip", lines[^1]);
        }
        TestContext.Current.SendDiagnosticMessage($"{name}: {sum} bytes of script and style");
        Assert.True(sum <= Limit, $"{name} loads {sum} bytes of script and style:\n{string.Join('\n', lines)}");
    }

    private static bool IsLater(string url) => LaterParts.Any(part => url.Contains($"/assets/{part}-", StringComparison.Ordinal));
}
