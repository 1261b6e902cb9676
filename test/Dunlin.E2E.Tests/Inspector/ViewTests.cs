using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Inspector;

public sealed class ViewTests(BrowserFixture browser)
{
    [Fact]
    public async Task Overview_plots_samples_and_nodes_are_listed()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.SampleUntilAsync(inspector.Page.Locator("[data-plot=Connections] canvas"));
        await Expect(inspector.Page.Locator(".plot")).ToHaveCountAsync(9);
        await Expect(inspector.Page.Locator("[data-plot=Memory] .plot-value")).ToHaveTextAsync(new Regex("[KMG]iB$"));
        await Expect(inspector.Page.Locator("[data-plot=Journal] .plot-value")).ToHaveTextAsync(new Regex("events · .+iB$"));
        await inspector.ShowAsync("nodes");
        await Expect(inspector.Rows).ToHaveCountAsync(1);
        await Expect(inspector.Rows.First).ToContainTextAsync("Running");
    }

    [Fact]
    public async Task A_connection_is_found_and_shows_its_life()
    {
        await using var host = await TestHost.StartAsync();
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos");
        await Expect(bob.Locator("[data-connection=live]")).ToBeVisibleAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("topics");
        await Expect(inspector.Rows.First).ToBeVisibleAsync();
        await inspector.ShowAsync("connections");
        await inspector.Page.GetByRole(AriaRole.Searchbox).FillAsync("bob");
        await Expect(inspector.Rows.First).ToContainTextAsync("Bob Baker");
        await inspector.Rows.First.ClickAsync();
        await Expect(inspector.Panel).ToContainTextAsync("Opened with");
        await Expect(inspector.Panel).ToContainTextAsync("Live");
        await bob.CloseAsync();
        await Expect(inspector.Panel).ToContainTextAsync("Client gone");
        await inspector.Page.Keyboard.PressAsync("Escape");
        await Expect(inspector.Panel).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_journal_follows_live_filters_and_shows_payloads()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("journal");
        await Expect(inspector.Rows.First).ToBeVisibleAsync();
        await AppendAsync(host, "inspected/topic", "made", new { answer = 42 });
        await inspector.SampleUntilAsync(inspector.Rows.Filter(new() { HasText = "inspected/topic" }));
        await inspector.Page.GetByRole(AriaRole.Searchbox).FillAsync("inspected/**");
        await inspector.Page.GetByRole(AriaRole.Button, new() { Name = "Search", Exact = true }).ClickAsync();
        await Expect(inspector.Rows).ToHaveCountAsync(1);
        await inspector.Rows.First.ClickAsync();
        await Expect(inspector.Panel.Locator(".code")).ToContainTextAsync("\"answer\": 42");
        host.ExpectRefusals(System.Net.HttpStatusCode.BadRequest);
        await inspector.Page.GetByRole(AriaRole.Searchbox).FillAsync("a//b");
        await inspector.Page.GetByRole(AriaRole.Button, new() { Name = "Search", Exact = true }).ClickAsync();
        await Expect(inspector.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("neither a topic nor a pattern");
    }

    [Fact]
    public async Task A_lease_shows_its_history_and_can_be_ended()
    {
        await using var host = await TestHost.StartAsync();
        var leases = host.Services.GetRequiredService<LeaseService>();
        var owner = new LeaseOwner("bob", "Bob Baker");
        await leases.AcquireAsync(new LeaseRequest(ResourceName.Parse("inspected/1"), "lease-of-bob-1", owner));
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("leases");
        await inspector.Rows.Filter(new() { HasText = "Bob Baker" }).First.ClickAsync();
        await Expect(inspector.Panel).ToContainTextAsync("granted");
        await inspector.Page.GetByRole(AriaRole.Button, new() { Name = "End the lease…" }).ClickAsync();
        var dialog = inspector.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("cannot save any more");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "End the lease" }).ClickAsync();
        await Expect(inspector.Panel).ToContainTextAsync("released");
    }

    [Fact]
    public async Task A_lease_is_preempted_by_keyboard_and_its_holder_learns_the_reason()
    {
        await using var host = await TestHost.StartAsync();
        var leases = host.Services.GetRequiredService<LeaseService>();
        var changes = new System.Collections.Concurrent.ConcurrentQueue<LeaseChange>();
        using var subscription = leases.OnChanged(changes.Enqueue);
        var resource = ResourceName.Parse("inspected/1");
        await leases.AcquireAsync(new LeaseRequest(resource, "lease-of-bob-1", new LeaseOwner("bob", "Bob Baker")));
        var inspector = await InspectorPage.OpenAsync(
            host,
            browser.Browser,
            new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
            }
        );
        await inspector.ShowAsync("leases", "inspected/1");
        await inspector.Page.GetByRole(AriaRole.Button, new() { Name = "Preempt…" }).FocusAsync();
        await inspector.Page.Keyboard.PressAsync("Enter");
        var dialog = inspector.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog)
            .ToContainTextAsync("Bob Baker receives the reason, may still save, and then loses inspected/1. It is free then.");
        await Expect(dialog.GetByLabel("Reason, which Bob Baker receives")).ToBeFocusedAsync();
        // The dialog fits a phone.
        var box = (await dialog.BoundingBoxAsync())!;
        Assert.InRange(box.X + box.Width, 0, 390);
        await inspector.Page.Keyboard.PressAsync("Enter"); // a reason is required
        await Expect(dialog).ToBeVisibleAsync();
        await inspector.Page.Keyboard.TypeAsync("Ann needs it");
        await inspector.Page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(inspector.Panel).ToContainTextAsync("Preempted: ends after the grace period");
        await Expect(inspector.Panel).ToContainTextAsync("Ann needs it");
        var ending = Assert.Single(changes, change => change.Kind == LeaseChangeKind.Ending);
        Assert.Equal(("Ann needs it", "bob"), (ending.Reason, ending.Owner.UserId));
    }

    [Fact]
    public async Task A_dead_job_can_be_retried()
    {
        await using var host = await TestHost.StartAsync();
        var type = host.Services.GetRequiredService<JobTypes>().Names[0];
        // The handler expects another value, so the first attempt is the last one.
        await host
            .Services.GetRequiredService<IStore>()
            .WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync(type, "no such value", new JobRequest { Id = "broken-1" }, ct));
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("jobs");
        var row = inspector.Rows.Filter(new() { HasText = "broken-1" });
        await Expect(row).ToContainTextAsync("dead");
        await row.ClickAsync();
        await Expect(inspector.Panel).ToContainTextAsync("cannot be read");
        await inspector.Page.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(inspector.Page.Locator(".toast-text").Last).ToContainTextAsync("waits for a worker again");
    }

    [Fact]
    public async Task A_refusal_is_explained_with_its_remedy()
    {
        await using var host = await TestHost.StartAsync();
        using var bob = await host.ClientAsync("bob");
        Assert.Equal(403, (await bob.SendJsonAsync("GET", "/dunlin/v1/journal?topic=users/alice")).Status);
        using var nobody = TestClients.New(host.Address, "not-a-token");
        Assert.Equal(401, (await nobody.SendJsonAsync("GET", "/dunlin/v1/journal?topic=a")).Status);
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("refusals");
        await Expect(inspector.Page.Locator("[data-kind=forbidden]").First).ToContainTextAsync("may not read 'users/alice'");
        await Expect(inspector.Page.Locator("[data-kind=unauthorized]").First).ToContainTextAsync("What to change");
        await inspector.Page.GetByLabel("Kind").SelectOptionAsync("forbidden");
        await Expect(inspector.Page.Locator("[data-kind=unauthorized]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Tools_publish_subscribe_and_sign_a_user_out()
    {
        await using var host = await TestHost.StartAsync();
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos");
        await Expect(bob.Locator("[data-connection=live]")).ToBeVisibleAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("tools");
        var page = inspector.Page;
        // The policy of the host refuses this topic. The refusal is shown, with the server's reason.
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("permission");
        await page.GetByLabel("Topics or patterns").FillAsync("users/alice");
        await page.GetByRole(AriaRole.Button, new() { Name = "Subscribe" }).ClickAsync();
        await Expect(page.Locator(".frames")).ToContainTextAsync("control: hello");
        await AppendAsync(host, "users/alice", "greeting", new { text = "hi" });
        await Expect(page.Locator(".frames li").First).ToContainTextAsync("greeting");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await page.GetByLabel("User id").FillAsync("bob");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(bob.Locator("[data-gate]")).ToBeVisibleAsync();
    }

    private static async Task AppendAsync(TestHost host, string topic, string type, object data) =>
        await host
            .Services.GetRequiredService<IJournal>()
            .AppendAsync([EventDraft.Of(TopicName.Parse(topic), type, data)], null, CancellationToken.None);
}
