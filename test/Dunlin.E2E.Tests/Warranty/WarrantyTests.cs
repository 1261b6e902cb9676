using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>The five tests of the original system and additional cases, with two users in real browsers.</summary>
public sealed class WarrantyTests(BrowserFixture chromium) : IAsyncLifetime
{
    private const string Name = "customerName";

    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Seed_1_An_edit_in_one_window_appears_in_the_other()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Nora Voss");
        await editor.PressAsync("Enter");
        await carol.ShowsAsync(20, Name, "Nora Voss");
        await bob.ShowsAsync(20, Name, "Nora Voss");
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(0);
        await bob.Page.PictureAsync("warranty");
    }

    [Fact]
    public async Task Seed_2_An_edited_field_is_locked_for_others_with_the_holders_name()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        var editor = await bob.EditAsync(20, Name);
        await Expect(carol.Lock(20, Name)).ToHaveAttributeAsync("title", "Locked by Bob Baker");
        await Expect(carol.Lock(20, "address")).ToHaveCountAsync(0);
        await carol.Cell(20, Name).ClickAsync();
        await Expect(carol.Editor(20, Name)).ToHaveCountAsync(0);
        await carol.Page.PictureAsync("warranty-locked");
        await editor.PressAsync("Escape");
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(0);
        await carol.EditAsync(20, Name);
        await Expect(bob.Lock(20, Name)).ToHaveAttributeAsync("title", "Locked by Carol Carter");
    }

    [Fact]
    public async Task Seed_3_Fast_typing_is_one_request_and_a_menu_saves_at_once()
    {
        var bob = await OpenAsync("bob");
        var saves = bob.WatchSaves();
        var editor = await bob.EditAsync(20, Name);
        var saved = bob.Page.WaitForResponseAsync(r => r.Request.Method == "PATCH");
        await editor.FillAsync("");
        await editor.PressSequentiallyAsync("Theodora Longname", new() { Delay = 15 });
        await saved;
        Assert.Equal("Theodora Longname", Updates(Assert.Single(saves)).GetProperty(Name).GetString());
        await editor.PressAsync("Enter");
        var status = await bob.EditAsync(20, "status");
        var menu = bob.Page.WaitForResponseAsync(r =>
            r.Request.Method == "PATCH" && r.Request.PostData!.Contains("COMPLETED", StringComparison.Ordinal)
        );
        await status.SelectOptionAsync("COMPLETED");
        await menu;
        Assert.Equal(2, saves.Count);
    }

    [Fact]
    public async Task Seed_4_A_network_outage_is_shown_and_missed_changes_arrive()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Dot).ToHaveAttributeAsync("data-connection", "offline");
        var editor = await carol.EditAsync(20, Name);
        await editor.FillAsync("While you were away");
        await editor.PressAsync("Enter");
        await carol.ShowsAsync(20, Name, "While you were away");
        await bob.Page.Context.SetOfflineAsync(false);
        await bob.IsLiveAsync();
        await bob.ShowsAsync(20, Name, "While you were away");
    }

    [Fact]
    public async Task Seed_4_A_restarted_server_is_shown_and_the_session_continues()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        await _host.StopAsync();
        await Expect(bob.Dot).ToHaveAttributeAsync("data-connection", "reconnecting");
        await _host.ContinueAsync();
        await bob.IsLiveAsync();
        await carol.IsLiveAsync();
        var editor = await carol.EditAsync(20, Name);
        await editor.FillAsync("After the restart");
        await editor.PressAsync("Enter");
        await bob.ShowsAsync(20, Name, "After the restart");
    }

    [Fact]
    public async Task Seed_5_The_lock_of_a_vanished_browser_expires_and_another_can_edit()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        await bob.EditAsync(20, Name);
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(1);
        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Dot).ToHaveAttributeAsync("data-connection", "offline");
        _host.Time.Advance(TimeSpan.FromSeconds(32));
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(0);
        await carol.EditAsync(20, Name);
    }

    [Fact]
    public async Task G3_A_save_after_a_lost_lock_is_refused_and_reverted_with_a_toast()
    {
        var bob = await OpenAsync("bob");
        var before = (await bob.Cell(20, Name).GetAttributeAsync("data-value"))!;
        var gate = await bob.HoldSavesAsync();
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Too late");
        await gate.Arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        _host.Time.Advance(TimeSpan.FromSeconds(31));
        gate.Open.SetResult();
        await Expect(bob.Toasts.First).ToBeVisibleAsync();
        await bob.ShowsAsync(20, Name, before);
        await Expect(bob.Toasts.First).ToContainTextAsync("Customer", new() { IgnoreCase = true });
        await Expect(bob.Toasts.GetByText("Copy").First).ToBeVisibleAsync();
        await bob.Page.PictureAsync("warranty-lost");
        using var client = await _host.ClientAsync("carol");
        Assert.Equal(before, await ValueAsync(client, 20));
    }

    [Fact]
    public async Task A_late_joiner_sees_existing_locks()
    {
        var bob = await OpenAsync("bob");
        await bob.EditAsync(20, Name);
        var carol = await OpenAsync("carol");
        await Expect(carol.Lock(20, Name)).ToHaveAttributeAsync("title", "Locked by Bob Baker");
    }

    [Fact]
    public async Task The_lock_is_held_until_its_pending_save_has_ended()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        var gate = await bob.HoldSavesAsync();
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Pending");
        await editor.PressAsync("Tab");
        await gate.Arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        // The editor is closed and the save is in flight: the lock is still held.
        await Expect(bob.Editor(20, Name)).ToHaveCountAsync(0);
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(1);
        using var client = await _host.ClientAsync("carol");
        using var refused = await client.PatchAsJsonAsync("/api/warranty/cases/20", new { updates = new { customerName = "Mine" } });
        Assert.Equal(423, (int)refused.StatusCode);
        gate.Open.SetResult();
        await carol.ShowsAsync(20, Name, "Pending");
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_second_tab_neither_takes_nor_releases_the_first_tabs_lock()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        var second = new WarrantyPage(await bob.Page.Context.NewPageAsync());
        await second.Page.GotoAsync(bob.Page.Url);
        await second.IsLiveAsync();
        await bob.EditAsync(20, Name);
        await Expect(second.Lock(20, Name)).ToHaveAttributeAsync("title", "Locked by you in another tab");
        await second.Cell(20, Name).ClickAsync();
        await Expect(second.Editor(20, Name)).ToHaveCountAsync(0);
        await second.Page.CloseAsync();
        _host.Time.Advance(TimeSpan.FromSeconds(15)); // longer than the grace, shorter than the lease
        await Expect(carol.Lock(20, Name)).ToHaveCountAsync(1);
        await bob.Editor(20, Name).FillAsync("Still mine");
        await bob.Editor(20, Name).PressAsync("Enter");
        await carol.ShowsAsync(20, Name, "Still mine");
    }

    [Fact]
    public async Task Offline_edits_survive_and_are_saved_when_the_network_returns()
    {
        var (bob, carol) = (await OpenAsync("bob"), await OpenAsync("carol"));
        await bob.Page.Context.SetOfflineAsync(true);
        await Expect(bob.Dot).ToHaveAttributeAsync("data-connection", "offline");
        await bob.Cell(20, Name).ClickAsync();
        await bob.Editor(20, Name).FillAsync("Written offline");
        await bob.Editor(20, Name).PressAsync("Enter");
        await bob.ShowsAsync(20, Name, "Written offline");
        await Expect(bob.Cell(20, Name)).ToHaveAttributeAsync("data-pending", "");
        await bob.Page.Context.SetOfflineAsync(false);
        await carol.ShowsAsync(20, Name, "Written offline");
        await Expect(bob.Cell(20, Name)).Not.ToHaveAttributeAsync("data-pending", "");
    }

    [Fact]
    public async Task The_full_sync_runs_every_60_s_and_keeps_edited_fields()
    {
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/api/v1/auth/status");
        await page.Clock.InstallAsync();
        var bob = new WarrantyPage(page);
        await page.GotoAsync(new Uri(_host.Address, "/branch/1").ToString());
        await bob.IsLiveAsync();
        var gate = await bob.HoldSavesAsync();
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Being typed");
        var synced = page.WaitForResponseAsync(r => r.Url.Contains("/branches/1/cases", StringComparison.Ordinal));
        // Advances the page's clock in thirds of the lease, so that each renewal gets its answer in time.
        for (var second = 0; second < 63; second += 10)
        {
            var renewed = page.WaitForResponseAsync(r => r.Request.Method == "POST" && r.Url.Contains("/locks/", StringComparison.Ordinal));
            await page.Clock.RunForAsync(10_500);
            await renewed;
        }
        await synced;
        await Expect(editor).ToHaveValueAsync("Being typed");
        await bob.ShowsAsync(20, Name, "Being typed");
        gate.Open.SetResult();
    }

    [Fact]
    public async Task A_user_of_another_branch_gets_neither_cases_nor_events()
    {
        var dave = await _host.OpenAsync(chromium.Browser, "dave", "/branch/1");
        await Expect(dave.Locator("[data-case-row]")).ToHaveCountAsync(0);
        await Expect(dave.GetByText("You do not work in this branch").First).ToBeVisibleAsync();
        await dave.PictureAsync("warranty-forbidden");
    }

    private Task<WarrantyPage> OpenAsync(string user) => WarrantyPage.OpenAsync(_host, chromium.Browser, user);

    private static JsonElement Updates(Microsoft.Playwright.IRequest save) =>
        JsonDocument.Parse(save.PostData!).RootElement.GetProperty("updates");

    private static async Task<string?> ValueAsync(HttpClient client, int id)
    {
        var page = await client.GetFromJsonAsync<JsonElement>("/api/warranty/branches/1/cases?limit=100");
        return page.GetProperty("items").EnumerateArray().Single(c => c.GetProperty("id").GetInt32() == id).GetProperty(Name).GetString();
    }
}
