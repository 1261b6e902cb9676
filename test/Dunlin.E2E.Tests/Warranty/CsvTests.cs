using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>Export to and import from CSV files.</summary>
public sealed class CsvTests(BrowserFixture chromium) : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_export_holds_the_filtered_cases_and_no_formulas()
    {
        using var client = await _host.ClientAsync("bob");
        var updates = new
        {
            customerName = "=HYPERLINK(\"http://x\")",
            issues = "two\nlines, quoted \"so\"",
            staff = "Zoë",
        };
        (await client.PatchAsJsonAsync("/api/warranty/cases/7", new { updates })).Dispose();
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/branch/1?staff=Zo%C3%AB");
        await Expect(page.Locator("[data-case-row]")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "More", Exact = true }).ClickAsync();
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Button, new() { Name = "Export as CSV" }).ClickAsync()
        );
        Assert.Matches("^warranty-HQ-[0-9-]{10}\\.csv$", download.SuggestedFilename);
        var text = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.StartsWith("Service no.,Created,Status,Customer name,Contact", text, StringComparison.Ordinal);
        Assert.Contains("\"'=HYPERLINK(\"\"http://x\"\")\"", text, StringComparison.Ordinal);
        Assert.Contains("'+44 20 7946", text, StringComparison.Ordinal);
        Assert.Contains("\"two\nlines, quoted \"\"so\"\"\"", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("\r\n").Length);
        await Expect(page.GetByText("1 case is in the file.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_import_maps_checks_and_creates_rows_and_reports_each_error()
    {
        _host.ExpectRefusals(HttpStatusCode.BadRequest);
        var page = (await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob")).Page;
        // The server decides about each row.
        await page.RouteAsync(
            "**/api/warranty/branches/1/cases",
            route =>
                route.Request.PostData?.Contains("Refused", StringComparison.Ordinal) == true
                    ? route.FulfillAsync(
                        new()
                        {
                            Status = 400,
                            ContentType = "application/problem+json",
                            Body = """{"code":"invalid_field","title":"Wrong.","detail":"'invoice' must be new."}""",
                        }
                    )
                    : route.ContinueAsync()
        );
        await ChooseAsync(
            page,
            """
            Who;Status;Mail;Price
            Ida One;Completed;ida@example.org;1.234,50
            Jan Two;Unheard of;jan@example.org;5
            Refused Three;in queue;;
            Kim Four;;kim@;
            Lea Five;;lea@example.org;'-
            '+Max Six;;;7
            """
        );
        await page.Locator("dialog.import").GetByLabel("Customer name").SelectOptionAsync("Who");
        await page.Locator("dialog.import").GetByLabel("E-mail").SelectOptionAsync("Mail");
        await page.Locator("dialog.import").GetByLabel("Cost").SelectOptionAsync("Price");
        await page.PictureAsync("warranty-import-mapping");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check rows" }).ClickAsync();
        var dialog = page.Locator("dialog.import");
        await Expect(dialog).ToContainTextAsync("3 of 6 rows can be imported. Nothing is written yet.");
        await Expect(dialog).ToContainTextAsync("Row 3 Status: “Unheard of” is no status");
        await page.PictureAsync("warranty-import-check");
        using var client = await _host.ClientAsync("bob");
        Assert.Equal(20, await TotalAsync(client));

        await page.GetByRole(AriaRole.Button, new() { Name = "Import 3 cases" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("2 cases were created.");
        await Expect(dialog).ToContainTextAsync("Row 4 Invoice must be new.");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).Last.ClickAsync();
        await Expect(page.Locator(".pager")).ToContainTextAsync("22 cases");
        await Expect(page.Locator("[data-field=customerName]").First).ToHaveAttributeAsync("data-value", "+Max Six");
        var found = await client.GetFromJsonAsync<JsonElement>("/api/warranty/branches/1/cases?search=Ida");
        var ida = Assert.Single(found.GetProperty("items").EnumerateArray());
        Assert.Equal(("COMPLETED", "1234.50"), (ida.GetProperty("status").GetString(), ida.GetProperty("cost").GetString()));
    }

    [Fact]
    public async Task A_cancelled_import_ends_after_the_row_that_is_being_sent()
    {
        var page = (await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob")).Page;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posts = page.Watch(request => request.Method == "POST" && request.Url.EndsWith("/cases", StringComparison.Ordinal));
        await page.RouteAsync(
            "**/api/warranty/branches/1/cases",
            async route =>
            {
                if (route.Request.PostData?.Contains("Row 3", StringComparison.Ordinal) == true)
                    await gate.Task;
                await route.ContinueAsync();
            }
        );
        var rows = string.Join('\n', Enumerable.Range(1, 10).Select(i => $"Row {i}"));
        await ChooseAsync(page, "Customer name\n" + rows);
        await page.GetByRole(AriaRole.Button, new() { Name = "Check rows" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import 10 cases" }).ClickAsync();
        await Expect(page.Locator("dialog.import")).ToContainTextAsync("Creating 2 of 10");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        gate.SetResult();
        await Expect(page.Locator("dialog.import")).ToContainTextAsync("Cancelled: 3 cases were created. 7 rows were not tried.");
        Assert.Equal(3, posts.Count);
        using var client = await _host.ClientAsync("bob");
        Assert.Equal(23, await TotalAsync(client));
    }

    private static async Task ChooseAsync(IPage page, string text)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "More", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import CSV" }).ClickAsync();
        await page.Locator("dialog.import")
            .GetByLabel("CSV file")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "cases.csv",
                    MimeType = "text/csv",
                    Buffer = Encoding.UTF8.GetBytes(text),
                }
            );
    }

    private static async Task<int> TotalAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>("/api/warranty/branches/1/cases")).GetProperty("total").GetInt32();
}
