using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>What a cell and the toolbar say about refused edits and other users.</summary>
public sealed class CellStateTests(BrowserFixture chromium) : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_refused_edit_stays_in_its_cell_and_begins_the_next_one()
    {
        const string Email = "customerEmail";
        _host.ExpectRefusals(HttpStatusCode.BadRequest);
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var before = (await bob.Cell(20, Email).GetAttributeAsync("data-value"))!;
        var editor = await bob.EditAsync(20, Email);
        await editor.FillAsync("nora@");
        await editor.PressAsync("Enter");
        var cell = bob.Cell(20, Email);
        await Expect(cell).ToHaveAttributeAsync("data-error", "");
        await Expect(cell).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(cell.Locator(".cell-error-typed")).ToHaveTextAsync("nora@");
        await Expect(cell.Locator(".cell-error-text")).ToContainTextAsync("must be an e-mail address");
        await bob.ShowsAsync(20, Email, before);
        await bob.Page.PictureAsync("warranty-cell-error");

        await cell.PressAsync("Enter");
        await Expect(editor).ToHaveValueAsync("nora@");
        await editor.PressSequentiallyAsync("example.org");
        await editor.PressAsync("Enter");
        await bob.ShowsAsync(20, Email, "nora@example.org");
        await Expect(cell).Not.ToHaveAttributeAsync("data-error", "");
        await Expect(cell).Not.ToHaveAttributeAsync("data-pending", "");
    }

    [Fact]
    public async Task Present_users_are_listed_and_a_lock_shows_initials()
    {
        var (bob, carol) = (
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob"),
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "carol")
        );
        var present = bob.Page.Locator("[data-present]");
        await Expect(present).ToHaveCountAsync(2);
        await Expect(bob.Page.GetByRole(AriaRole.Group, new() { Name = "Here now: Bob Baker (you), Carol Carter" })).ToBeVisibleAsync();
        await carol.EditAsync(20, "customerName");
        await Expect(bob.Lock(20, "customerName").Locator(".avatar")).ToHaveTextAsync("CC");
        await bob.Page.PictureAsync("warranty-present");

        // The grace of presence begins when the server notices the closed stream.
        await carol.Page.CloseAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await present.CountAsync() > 1)
        {
            patience.Token.ThrowIfCancellationRequested();
            _host.Time.Advance(TimeSpan.FromSeconds(1));
        }
        await Expect(bob.Page.Locator("[data-present=carol]")).ToHaveCountAsync(0);
    }
}
