using System.Net;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Dunlin.Server.Tests;

/// <summary>The page of docs/start/browser.md in Chromium, with the built client.</summary>
[Trait("Store", "own")]
public sealed class BrowserPageTests : IDisposable
{
    private static readonly string Page = Repository.Read("docs/start/browser.md");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-page-");

    [Fact]
    public async Task Two_windows_show_each_message_once_over_kill_9_of_the_server()
    {
        await using var server = new ServerProgram();
        await using var site = await StartSiteAsync();
        var origin = site.Urls.Single();
        server.Settings["Dunlin__Origins__AllowedOrigins__0"] = origin;
        await server.StartAsync();
        var html = Assert.Single(Repository.Blocks(Page, "html"));
        Assert.Contains("http://127.0.0.1:5090", html, StringComparison.Ordinal);
        var address = server.Address.ToString().TrimEnd('/');
        await File.WriteAllTextAsync(
            Path.Combine(_folder.FullName, "index.html"),
            html.Replace("http://127.0.0.1:5090", address, StringComparison.Ordinal)
        );

        await using var chromium = await ChromiumBrowser.StartAsync();
        var browser = chromium.Browser;
        var context = await browser.NewContextAsync();
        context.SetDefaultTimeout(90_000);
        var url = $"{origin}/#{await TokenAsync(server)}";
        var (one, other) = (await context.NewPageAsync(), await context.NewPageAsync());
        foreach (var page in new[] { one, other })
        {
            await page.GotoAsync(url);
            await page.GetByText("Real-time updates active").WaitForAsync();
        }
        await SendAsync(one, "hello");
        await other.GetByText("hello").WaitForAsync();

        await server.KillAsync();
        await one.GetByText("Reconnecting").WaitForAsync();
        await server.StartAsync();
        await other.GetByText("Real-time updates active").WaitForAsync();
        await SendAsync(other, "again");
        foreach (var page in new[] { one, other })
        {
            await page.GetByText("again").WaitForAsync();
            Assert.Equal(["hello", "again"], await page.Locator("#messages li").AllTextContentsAsync());
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task SendAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.GetByRole(AriaRole.Button).ClickAsync();
    }

    /// <summary>The token of the page's own command.</summary>
    private static async Task<string> TokenAsync(ServerProgram server)
    {
        var command = Repository.Blocks(Page, "sh").Single(block => block.StartsWith("token=", StringComparison.Ordinal)).Split('\n')[0];
        var run = command.Replace("./start.sh --server", $"{ServerProgram.Command} --data '{server.Data}'", StringComparison.Ordinal);
        var (code, output, error) = await server.RunOtherAsync("bash", "-ec", run + "\necho \"$token\"");
        Assert.True(code == 0, error);
        return output.Trim();
    }

    /// <summary>Serves the page's folder, with the client as it was built.</summary>
    private async Task<WebApplication> StartSiteAsync()
    {
        var built = Path.Combine(Repository.Root, "clients", "typescript", "dist");
        Assert.True(Directory.Exists(built), "The client has not been built. Run ./test.sh, or: npm ci && npm run build");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.UseFileServer(new FileServerOptions { FileProvider = new PhysicalFileProvider(_folder.FullName) });
        app.UseStaticFiles(new StaticFileOptions { RequestPath = "/dunlin", FileProvider = new PhysicalFileProvider(built) });
        await app.StartAsync();
        return app;
    }
}
