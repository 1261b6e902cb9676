using Dunlin.Guides.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests;

/// <summary>The program and the page of docs/guides/presence.md in Chromium.</summary>
public sealed class PresenceTests
{
    [Fact]
    public async Task Each_page_lists_the_users_who_are_there()
    {
        await using var program = await GuideProgram.StartAsync("Presence", "--Presence:Grace=00:00:00.1");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var ann = await chromium.OpenAsync("ann");
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann"]);
        var bob = await chromium.OpenAsync("bob");
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann", "bob"]);
        await Expect(bob.Locator("li")).ToHaveTextAsync(["ann", "bob"]);

        // A second tab of a user changes nothing, and neither does closing it.
        var tab = await bob.Context.NewPageAsync();
        await tab.GotoAsync(program.Address);
        await Expect(tab.Locator("li")).ToHaveTextAsync(["ann", "bob"]);
        await tab.CloseAsync();
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann", "bob"]);

        await bob.CloseAsync();
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann"]);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task The_list_returns_after_the_server_was_killed()
    {
        await using var program = await GuideProgram.StartAsync("Presence");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob) = (await chromium.OpenAsync("ann"), await chromium.OpenAsync("bob"));
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann", "bob"]);
        await program.KillAsync();
        await Expect(ann.Locator("#status")).ToHaveTextAsync("Reconnecting");
        await program.StartAsync();
        await Expect(ann.Locator("li")).ToHaveTextAsync(["ann", "bob"]);
        await Expect(bob.Locator("li")).ToHaveTextAsync(["ann", "bob"]);
        Assert.Empty(chromium.Faults);
    }
}
