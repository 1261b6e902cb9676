using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>Sound and notification at the end of a phase. The test records what the page passes to the browser.</summary>
public sealed class AlertTests(BrowserFixture browser)
{
    private const string Recorder = """
        window.alerts = [];
        window.Notification = class {
          static permission = 'default';
          static requestPermission() {
            window.alerts.push('asked');
            Notification.permission = 'granted';
            return Promise.resolve('granted');
          }
          constructor(title, options) { window.alerts.push(`${title}: ${options.body}`); }
          close() {}
        };
        AudioContext.prototype.createOscillator = new Proxy(AudioContext.prototype.createOscillator, {
          apply(target, self, args) { window.alerts.push('tone'); return Reflect.apply(target, self, args); },
        });
        """;

    [Fact]
    public async Task The_end_of_a_phase_alerts_in_one_tab_after_the_user_turned_it_on()
    {
        await using var host = await TestHost.StartAsync();
        var one = await host.OpenFocusAsync(browser, script: Recorder);
        var two = await one.Context.NewPageAsync();
        await two.GotoAsync(one.Url);
        await two.ReadyAsync();
        Assert.Empty(await AlertsAsync(one));
        await one.GetByLabel("Notification").CheckAsync();
        await Expect(one.GetByLabel("Notification")).ToBeCheckedAsync();
        await Expect(two.GetByLabel("Notification")).ToBeCheckedAsync();
        await one.GetByLabel("Sound").CheckAsync();
        Assert.Equal(["asked", "tone", "tone"], await AlertsAsync(one));
        // The permission belongs to the site, not to the tab.
        await two.EvaluateAsync("() => { Notification.permission = 'granted'; }");
        await one.EvaluateAsync("() => { window.alerts = []; }");

        await one.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await two.LooksAsync("running");
        host.Time.Advance(TimeSpan.FromMinutes(25));
        foreach (var page in new[] { one, two })
            await page.LooksAsync("break");
        Assert.Equal(
            ["Time for a break: Focus 1 on “Focus” is over.", "tone", "tone"],
            (await AlertsAsync(one)).Concat(await AlertsAsync(two)).Order()
        );

        // The other tab takes over when the first one closes.
        await one.CloseAsync();
        await Expect(two.Locator("[data-connection=live]")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await two.WaitForFunctionAsync(
            "async () => (await navigator.locks.query()).pending.every(lock => !lock.name.startsWith('focus.alerts'))"
        );
        host.Time.Advance(TimeSpan.FromMinutes(5));
        await two.LooksAsync("running");
        await two.WaitForFunctionAsync("() => window.alerts.some(alert => alert.startsWith('Back to focus'))");
    }

    private static Task<string[]> AlertsAsync(IPage page) => page.EvaluateAsync<string[]>("() => window.alerts");
}
