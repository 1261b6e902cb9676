using System.Globalization;
using System.Net;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Microsoft.Playwright;

namespace Dunlin.Server.Tests;

/// <summary>
/// The <c>EventSource</c> of Chromium with a cookie only, while the server is killed. <c>DUNLIN_MERCURE_KILLS</c> and
/// <c>DUNLIN_MERCURE_UPDATES</c> make the test longer.
/// </summary>
[Trait("Store", "own")]
public sealed class MercureBrowserTests
{
    private static readonly int Kills = Number("DUNLIN_MERCURE_KILLS", 3);
    private static readonly int Updates = Number("DUNLIN_MERCURE_UPDATES", 150);

    // The page listens before the first update, so that its last id is the only thing that it resumes by.
    private const string Script = """
        () => {
          window.seen = [];
          const source = new EventSource('/.well-known/mercure?match=load', { withCredentials: true });
          source.onmessage = (update) => window.seen.push(update.data);
          return new Promise((resolve) => { source.onopen = () => resolve(true); });
        }
        """;

    [Fact]
    public async Task Native_EventSource_with_a_cookie_misses_nothing_across_kill_9()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Mercure__Url"] = "https://hub.example.com/.well-known/mercure";
        server.Settings["Dunlin__Mercure__RequireToken"] = "true";
        server.Settings["Dunlin__Mercure__CookieName"] = "mercure";
        server.Settings["Dunlin__Mercure__Issuers__0__Issuer"] = "https://example.com";
        server.Settings["Dunlin__Mercure__Issuers__0__Secrets__0"] = MercureTests.Secret;
        await server.StartAsync("--mercure");
        await using var chromium = await ChromiumBrowser.StartAsync();
        var page = await chromium.Browser.NewPageAsync();
        await page.GotoAsync(new Uri(server.Address, "/healthz/live").ToString());
        await page.Context.AddCookiesAsync([
            new Microsoft.Playwright.Cookie
            {
                Name = "mercure",
                Value = MercureTests.Token(),
                Url = server.Address.ToString(),
                HttpOnly = true,
            },
        ]);
        Assert.True(await page.EvaluateAsync<bool>(Script));

        var port = server.Port;
        var every = Math.Max(1, Updates / (Kills + 1));
        for (var i = 0; i < Updates; i++)
        {
            if (i > 0 && i % every == 0 && i / every <= Kills)
            {
                // An EventSource without an update has no id to resume by.
                await Eventually.TrueAsync(async () => (await SeenAsync(page)).Length > 0);
                await server.KillAsync();
                await server.StartAsync("--mercure");
                Assert.Equal(port, server.Port);
            }
            Assert.Equal(
                HttpStatusCode.OK,
                await MercureTests.PublishAsync(server.Address, "load", i.ToString(CultureInfo.InvariantCulture), isPrivate: true)
            );
        }
        await Eventually.TrueAsync(async () => (await SeenAsync(page)).Length >= Updates, () => server.Output);
        Assert.Equal(Enumerable.Range(0, Updates).Select(i => i.ToString(CultureInfo.InvariantCulture)), await SeenAsync(page));
    }

    private static async Task<string[]> SeenAsync(IPage page) =>
        JsonSerializer.Deserialize<string[]>(
            await page.EvaluateAsync<string>("() => JSON.stringify(window.seen)"),
            JsonSerializerOptions.Web
        )!;

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : standard;
}
