using System.Net;
using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Inspector;

/// <summary>The view of webhooks in the inspector, with a receiver that fails until the test lets it answer.</summary>
public sealed class WebhookTests(BrowserFixture browser) : IAsyncLifetime
{
    private static readonly BrowserNewContextOptions Phone = new()
    {
        ViewportSize = new() { Width = 390, Height = 844 },
    };

    private WebhookReceiver _receiver = null!;
    private TestHost _host = null!;
    private volatile bool _isBusy = true;

    public async ValueTask InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = _isBusy ? 503 : 200;
            return Task.CompletedTask;
        };
        _host = await TestHost.StartAsync(
            services =>
                services
                    .AddDunlin()
                    .AddWebhooks(options =>
                    {
                        options.Networks.Add("127.0.0.0/8");
                        options.RetryDelays.Add(TimeSpan.FromSeconds(1));
                        // Longer than the test advances time.
                        options.ClaimDuration = TimeSpan.FromHours(1);
                    }),
            map: app => app.MapDunlinWebhooks()
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Dead_deliveries_are_found_and_redriven_by_keyboard()
    {
        await CreateAsync("shop");
        await AppendAsync(3);
        var inspector = await InspectorPage.OpenAsync(_host, browser.Browser);
        var keys = inspector.Page.Keyboard;
        await keys.PressAsync("0");
        var row = inspector.Rows.Filter(new() { HasTextRegex = new Regex("shop.*failing") });
        await inspector.SampleUntilAsync(row.Filter(new() { HasText = "503" }));
        await inspector.SampleUntilAsync(inspector.Page.Locator("[role=gridcell][data-tone=bad]").GetByText("3", new() { Exact = true }));
        await inspector.Rows.First.FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(inspector.Panel).ToContainTextAsync("no success for");
        await Expect(Deliveries(inspector)).ToHaveCountAsync(3);
        await Expect(Deliveries(inspector).First).ToContainTextAsync("2 failed attempts · dead since");
        await inspector.Page.PictureAsync("webhooks-dead");

        _isBusy = false;
        await Deliveries(inspector).First.GetByRole(AriaRole.Button, new() { Name = "Redrive" }).FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(Toast(inspector)).ToContainTextAsync("One message is sent again.");
        await Expect(Deliveries(inspector)).ToHaveCountAsync(2);
        await inspector.Panel.GetByRole(AriaRole.Button, new() { Name = "Redrive all" }).ClickAsync();
        await Expect(Toast(inspector)).ToContainTextAsync("2 messages are sent again.");
        await Expect(inspector.Panel).ToContainTextAsync("No delivery is dead.");
        await inspector.SampleUntilAsync(inspector.Rows.Filter(new() { HasTextRegex = new Regex("shop.*active") }));
        Assert.Equal(3, _receiver.Accepted.Select(static message => message.Id).Distinct().Count());
        await keys.PressAsync("Escape");
        await Expect(inspector.Panel).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_new_secret_is_shown_once_and_its_dialog_fits_a_phone()
    {
        await CreateAsync("shop");
        var inspector = await InspectorPage.OpenAsync(_host, browser.Browser, Phone);
        await inspector.ShowAsync("webhooks", "shop");
        await ClickAsync(inspector, "New secret…");
        var dialog = inspector.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(inspector.Panel).Not.ToContainTextAsync("Former secret");
        await ClickAsync(inspector, "New secret…");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create a new secret" }).ClickAsync();
        var secret = inspector.Page.GetByRole(AriaRole.Textbox, new() { Name = "New secret" });
        await Expect(secret).ToHaveValueAsync(new Regex("^whsec_.{40,}"));
        await Expect(dialog).ToContainTextAsync("The former secret signs too until");
        var box = (await dialog.BoundingBoxAsync())!;
        Assert.InRange(box.X + box.Width, 0, 390);
        await inspector.Page.PictureAsync("webhooks-secret-phone");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(inspector.Panel).ToContainTextAsync("Former secret");
        Assert.DoesNotContain("whsec_", await inspector.Page.ContentAsync(), StringComparison.Ordinal);
        await inspector.Page.PictureAsync("webhooks-phone");
        Assert.InRange(await inspector.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth"), int.MinValue, 0);
    }

    [Fact]
    public async Task A_webhook_is_paused_resumed_tested_and_removed()
    {
        await CreateAsync("shop");
        await CreateAsync("stock");
        var inspector = await InspectorPage.OpenAsync(_host, browser.Browser);
        await inspector.ShowAsync("webhooks", "shop");
        await ClickAsync(inspector, "Pause");
        await Expect(inspector.Rows.Filter(new() { HasText = "shop" })).ToContainTextAsync("paused");
        await ClickAsync(inspector, "Resume");
        await Expect(inspector.Rows.Filter(new() { HasText = "shop" })).ToContainTextAsync("active");
        await ClickAsync(inspector, "Send a test");
        await Expect(Toast(inspector)).ToContainTextAsync("The test was not delivered.");
        await Expect(Toast(inspector)).ToContainTextAsync("503");
        _isBusy = false;
        await ClickAsync(inspector, "Send a test");
        await Expect(Toast(inspector)).ToContainTextAsync("The receiver answered 200 to the test.");
        await ClickAsync(inspector, "Remove…");
        var dialog = inspector.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("shop is removed with 0 waiting and 0 dead deliveries.");
        await inspector.Page.Keyboard.PressAsync("Enter"); // the focus is on Cancel
        await Expect(inspector.Rows).ToHaveCountAsync(2);
        await ClickAsync(inspector, "Remove…");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove the webhook" }).ClickAsync();
        await Expect(inspector.Rows).ToHaveCountAsync(1);
        await Expect(inspector.Panel).ToHaveCountAsync(0);
        await inspector.ShowAsync("webhooks", "shop");
        await Expect(inspector.Panel).ToContainTextAsync("There is no webhook with this id.");
    }

    [Fact]
    public async Task Empty_list_and_failed_request_say_what_to_do()
    {
        var inspector = await InspectorPage.OpenAsync(_host, browser.Browser);
        await inspector.ShowAsync("webhooks");
        await Expect(inspector.Page.Locator(".empty")).ToContainTextAsync("dunlin webhooks add");
        await CreateAsync("shop");
        await Expect(inspector.Rows).ToHaveCountAsync(1);
        _host.ExpectRefusals(HttpStatusCode.ServiceUnavailable);
        await inspector.Page.RouteAsync(
            "**/dunlin/v1/webhooks",
            static route => route.FulfillAsync(new() { Status = 503, Json = new { detail = "The store is unavailable." } })
        );
        var alert = inspector.Page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("The store is unavailable.");
        // The last answer stays.
        await Expect(inspector.Rows).ToHaveCountAsync(1);
        await inspector.Page.UnrouteAllAsync();
        await alert.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(alert).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_host_without_webhooks_says_how_to_add_them()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("webhooks");
        await Expect(inspector.Page.Locator(".empty")).ToContainTextAsync("This server sends no webhooks.");
    }

    [Theory]
    [InlineData(390)]
    [InlineData(820)]
    [InlineData(1440)]
    public async Task Webhook_with_deliveries_fits_each_width_and_passes_axe(int width)
    {
        await CreateAsync("shop");
        await AppendAsync(2);
        var options = Axe.Still;
        options.ViewportSize = new() { Width = width, Height = 900 };
        var inspector = await InspectorPage.OpenAsync(_host, browser.Browser, options);
        await inspector.ShowAsync("webhooks", "shop");
        await inspector.SampleUntilAsync(Deliveries(inspector).Filter(new() { HasText = "503" }).First);
        await inspector.Page.PictureAsync($"webhooks-{width}");
        var overflow = await inspector.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        Assert.True(overflow <= 0, $"The view is {overflow} px too wide.");
        var axe = new Axe();
        await axe.CheckAsync(inspector.Page, "webhook");
        axe.RequireNone();
    }

    private static ILocator Deliveries(InspectorPage inspector) => inspector.Panel.Locator(".deliveries li");

    private static ILocator Toast(InspectorPage inspector) => inspector.Page.Locator(".toast-text").Last;

    private static Task ClickAsync(InspectorPage inspector, string button) =>
        inspector.Panel.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    private async Task CreateAsync(string id)
    {
        using var alice = await _host.ClientAsync("alice");
        var (status, answer) = await CreateAsync(alice, id);
        Assert.True(status == 201, $"{status}: {answer}");
    }

    private async Task<(int Status, string Answer)> CreateAsync(HttpClient client, string id)
    {
        var answer = await client.SendJsonAsync(
            "POST",
            "/dunlin/v1/webhooks",
            new
            {
                id,
                url = _receiver.Url,
                patterns = new[] { "shop-orders/**" },
                description = "Orders for the shop",
            }
        );
        return (answer.Status, $"{answer.Body}");
    }

    private async Task AppendAsync(int count)
    {
        var journal = _host.Services.GetRequiredService<IJournal>();
        for (var i = 1; i <= count; i++)
            await journal.AppendAsync(
                [EventDraft.Of(TopicName.Parse($"shop-orders/{i}"), "order.placed", i)],
                null,
                TestContext.Current.CancellationToken
            );
    }
}
