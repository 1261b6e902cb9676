using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>The warranty page of one user, as operations of a test.</summary>
internal sealed class WarrantyPage(IPage page)
{
    public IPage Page { get; } = page;

    public ILocator Dot => Page.Locator("[data-connection]");

    public ILocator Toasts => Page.Locator(".toast");

    public static async Task<WarrantyPage> OpenAsync(TestHost host, IBrowser browser, string user)
    {
        var page = new WarrantyPage(await host.OpenAsync(browser, user, "/branch/1"));
        await page.IsLiveAsync();
        return page;
    }

    public ILocator Cell(int id, string field) => Page.Locator($"[data-case='{id}'][data-field='{field}']");

    public ILocator Editor(int id, string field) => Cell(id, field).Locator("input, textarea, select");

    public ILocator Lock(int id, string field) => Cell(id, field).Locator("[data-lock]");

    public Task IsLiveAsync() => Expect(Dot).ToHaveAttributeAsync("data-connection", "live");

    public Task ShowsAsync(int id, string field, string value) => Expect(Cell(id, field)).ToHaveAttributeAsync("data-value", value);

    /// <summary>Opens the editor and waits until the lock is held.</summary>
    public async Task<ILocator> EditAsync(int id, string field)
    {
        await Cell(id, field).ClickAsync();
        await Expect(Cell(id, field)).ToHaveAttributeAsync("data-editing", "held");
        return Editor(id, field);
    }

    /// <summary>Blocks the saves of this page until the result is opened.</summary>
    public async Task<Gate> HoldSavesAsync()
    {
        var gate = new Gate();
        await Page.RouteAsync(
            "**/api/warranty/cases/*",
            async route =>
            {
                if (route.Request.Method == "PATCH")
                {
                    gate.Arrived.TrySetResult();
                    await gate.Open.Task;
                }
                await route.ContinueAsync();
            }
        );
        return gate;
    }

    public List<IRequest> WatchSaves() => Page.Watch(r => r.Method == "PATCH");

    internal sealed class Gate
    {
        public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
