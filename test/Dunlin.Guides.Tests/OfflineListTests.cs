using Dunlin.Guides.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests;

/// <summary>The program and the page of docs/guides/offline-list.md in Chromium.</summary>
public sealed class OfflineListTests
{
    [Fact]
    public async Task The_page_opens_and_takes_changes_while_the_server_is_down()
    {
        await using var program = await GuideProgram.StartAsync("OfflineList");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var laptop = await chromium.OpenAsync("ann");
        await Expect(laptop.Locator("#status")).ToHaveTextAsync("synced");
        await laptop.FillAsync("[name=text]", "Bread");
        await laptop.ClickAsync("text=Add");
        await Expect(laptop.Locator("#status")).ToHaveTextAsync("synced");
        var phone = await chromium.OpenAsync("ann");
        await Expect(phone.Locator("li")).ToContainTextAsync(["Bread"]);
        await laptop.EvaluateAsync("navigator.serviceWorker.ready.then(() => undefined)");

        await program.KillAsync();
        await laptop.ReloadAsync();
        await Expect(laptop.Locator("li")).ToContainTextAsync(["Bread"]);
        await laptop.FillAsync("[name=text]", "Milk");
        await laptop.ClickAsync("text=Add");
        await laptop.CheckAsync("li:has-text('Bread') input");
        await Expect(laptop.Locator("#status")).ToHaveTextAsync("offline, 2 to send");

        await program.StartAsync();
        await Expect(phone.Locator("li")).ToContainTextAsync(["Bread", "Milk"]);
        await Expect(phone.Locator("li:has-text('Bread') input")).ToBeCheckedAsync();
        await Expect(laptop.Locator("#status")).ToHaveTextAsync("synced");
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Another_user_sees_another_list()
    {
        await using var program = await GuideProgram.StartAsync("OfflineList");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var ann = await chromium.OpenAsync("ann");
        await Expect(ann.Locator("#status")).ToHaveTextAsync("synced");
        await ann.FillAsync("[name=text]", "Bread");
        await ann.ClickAsync("text=Add");
        await Expect(ann.Locator("li")).ToContainTextAsync(["Bread"]);
        await Expect(ann.Locator("#status")).ToHaveTextAsync("synced");
        var bob = await chromium.OpenAsync("bob");
        await Expect(bob.Locator("#status")).ToHaveTextAsync("synced");
        await Expect(bob.Locator("li")).ToHaveCountAsync(0);
    }
}
