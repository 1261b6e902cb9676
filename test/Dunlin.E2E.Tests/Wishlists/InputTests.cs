using Dunlin.Apps.Wishlists;
using Dunlin.E2E.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Wishlists.WishlistPages;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>Limits of the fields, and the text of a refused change.</summary>
public sealed class InputTests(BrowserFixture browser)
{
    [Fact]
    public async Task Every_field_says_how_much_text_is_too_long()
    {
        await using var host = await TestHost.StartAsync();
        var page = await OpenAsync(host, browser.Browser, "alice");
        var add = page.Locator("[data-field=add]");
        await add.FocusAsync();
        // A pasted text ignores what typing allows.
        await page.Keyboard.InsertTextAsync(new string('x', 373));
        await Expect(page.GetByText("At most 300 characters: 73 characters too many.")).ToBeVisibleAsync();
        await Expect(add).ToHaveAttributeAsync("aria-invalid", "true");
        await page.Keyboard.PressAsync("Enter");
        await Expect(add).ToHaveValueAsync(new string('x', 373));
        await page.PictureAsync("wishlists-too-long");
        await add.FillAsync(new string('y', 300));
        await Expect(page.GetByText("0 characters left")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(Wish(page, new string('y', 300))).ToBeVisibleAsync();

        var create = page.GetByRole(AriaRole.Button, new() { Name = "Create" });
        await page.Locator("[data-field=new-list]").FillAsync(new string('x', 101));
        await Expect(page.GetByText("At most 100 characters: 1 character too many.")).ToBeVisibleAsync();
        await Expect(create).ToBeDisabledAsync();
        await page.Locator("[data-field=new-list]").FillAsync("");

        // A tab in a pasted text is no fault of the user: the page sends what the server stores.
        await AddAsync(page, "Tea\tcosy");
        await Expect(Wish(page, "Tea cosy")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit Tea cosy", Exact = true }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await TooLongAsync("What it is", 300);
        await TooLongAsync("Note", 2_000);
        await dialog.GetByLabel("Page", new() { Exact = true }).FillAsync("no address");
        await Expect(dialog.GetByText("This is no address of a page.")).ToBeVisibleAsync();
        await dialog.GetByLabel("Page", new() { Exact = true }).FillAsync("https://shop.example/" + new string('x', 2_000));
        await Expect(dialog.GetByText("At most 2000 characters: 21 characters too many.")).ToBeVisibleAsync();
        await dialog.GetByLabel("Page", new() { Exact = true }).FillAsync("");
        await dialog.GetByLabel("How many").FillAsync("1000");
        await Expect(dialog.GetByText("A whole number from 1 to 999.")).ToBeVisibleAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToBeDisabledAsync();
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit Birthday" }).ClickAsync();
        await TooLongAsync("Name", 100);
        await TooLongAsync("About this list", 2_000);
        await page.Keyboard.PressAsync("Escape");
        await CloudAsync(page, "synced", 0);
        await Expect(page.Locator(".toast-error")).ToHaveCountAsync(0);

        async Task TooLongAsync(string label, int limit)
        {
            var field = dialog.GetByLabel(label, new() { Exact = true });
            await field.FillAsync(new string('x', limit + 2));
            await Expect(dialog.GetByText($"At most {limit} characters: 2 characters too many.")).ToBeVisibleAsync();
            await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToBeDisabledAsync();
            await field.FillAsync(new string('x', limit));
            await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToBeEnabledAsync();
        }
    }

    [Fact]
    public async Task A_refused_text_returns_to_the_field_it_was_typed_into()
    {
        await using var host = await TestHost.StartAsync(services =>
            services.Configure<WishlistOptions>(options => (options.MaxItems, options.MaxLists) = (3, 1))
        );
        var page = await OpenAsync(host, browser.Browser, "alice");
        await AddAsync(page, "One too many");
        await Expect(page.GetByText("it is too large, or you have reached a limit.")).ToBeVisibleAsync(Patient);
        await Expect(page.Locator("[data-field=add]")).ToHaveValueAsync("One too many");
        await Expect(Wish(page, "One too many")).ToHaveCountAsync(0);
        await page.Locator("[data-field=new-list]").FillAsync("Name day");
        await page.Locator("[data-field=new-list]").PressAsync("Enter");
        await Expect(page.Locator("[data-field=new-list]")).ToHaveValueAsync("Name day", new() { Timeout = 20_000 });
        await Expect(page.Locator("[data-list]")).ToHaveCountAsync(1);
        await CloudAsync(page, "synced", 0);
    }
}
