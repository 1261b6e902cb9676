using Dunlin.Guides.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests;

/// <summary>The program and the page of docs/guides/replicache-back-end.md in Chromium.</summary>
public sealed class ReplicacheTests
{
    [Fact]
    public async Task Changes_reach_the_other_device_also_those_made_while_offline()
    {
        await using var program = await GuideProgram.StartAsync("ReplicacheList");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (laptop, phone) = (await OpenAsync(chromium), await OpenAsync(chromium));
        await laptop.FillAsync("[name=text]", "Bread");
        await laptop.ClickAsync("text=Add");
        await Expect(phone.Locator("li")).ToContainTextAsync(["Bread"]);

        await program.KillAsync();
        await phone.CheckAsync("li input");
        await Expect(phone.Locator("li input")).ToBeCheckedAsync();
        await program.StartAsync();
        await Expect(laptop.Locator("li input")).ToBeCheckedAsync();
        await laptop.ClickAsync("text=Delete");
        await Expect(phone.Locator("li")).ToHaveCountAsync(0);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task A_mutation_that_the_server_refuses_is_undone_on_the_page()
    {
        await using var program = await GuideProgram.StartAsync("ReplicacheList");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var ann = await OpenAsync(chromium);
        await ann.EvaluateAsync("document.querySelector('[name=text]').removeAttribute('maxlength')");
        await ann.FillAsync("[name=text]", new string('x', 201));
        await ann.ClickAsync("text=Add");
        await Expect(ann.Locator("li")).ToHaveCountAsync(1);
        await Expect(ann.Locator("li")).ToHaveCountAsync(0);
        await ann.FillAsync("[name=text]", "Milk");
        await ann.ClickAsync("text=Add");
        await Expect(ann.Locator("li")).ToContainTextAsync(["Milk"]);
        Assert.Empty(chromium.Faults);
    }

    private static async Task<IPage> OpenAsync(Chromium chromium)
    {
        var page = await chromium.OpenAsync("ann");
        await Expect(page.Locator("#status")).ToHaveTextAsync("Real-time updates active");
        return page;
    }
}
