using Dunlin.Guides.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests;

/// <summary>The program and the page of docs/guides/lock-a-form.md in Chromium.</summary>
public sealed class LockAFormTests
{
    [Fact]
    public async Task One_user_edits_and_the_next_in_the_queue_gets_the_saved_form()
    {
        await using var program = await GuideProgram.StartAsync("LockAForm");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "bob"));
        await ann.ClickAsync("#edit");
        await SaysAsync(ann, "You edit this customer.");
        await bob.ClickAsync("#edit");
        await SaysAsync(bob, "ann edits this customer.");
        await Expect(bob.Locator("[name=phone]")).ToBeDisabledAsync();
        await bob.ClickAsync("#wait");
        await SaysAsync(ann, "bob waits for this customer.");

        await ann.FillAsync("[name=phone]", "555 0199");
        await ann.ClickAsync("text=Save");
        await SaysAsync(bob, "You edit this customer.");
        await Expect(bob.Locator("[name=phone]")).ToHaveValueAsync("555 0199");
        await Expect(ann.Locator("[name=phone]")).ToBeDisabledAsync();
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task The_holder_hands_the_form_over()
    {
        await using var program = await GuideProgram.StartAsync("LockAForm");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, bob) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "bob"));
        await ann.ClickAsync("#edit");
        await SaysAsync(ann, "You edit this customer.");
        await bob.ClickAsync("#edit");
        await bob.ClickAsync("#wait");
        await SaysAsync(ann, "bob waits for this customer.");
        await ann.ClickAsync("#hand-over");
        await SaysAsync(bob, "You edit this customer.");
        await SaysAsync(ann, "Handed over.");
        await Expect(ann.Locator("[name=phone]")).ToBeDisabledAsync();
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task A_holder_who_lost_the_lock_keeps_the_text_and_cannot_save()
    {
        await using var program = await GuideProgram.StartAsync("LockAForm");
        await using var chromium = await Chromium.StartAsync(program.Address);
        var (ann, sue) = (await OpenAsync(chromium, "ann"), await OpenAsync(chromium, "sue", "?role=supervisor"));
        await ann.ClickAsync("#edit");
        await SaysAsync(ann, "You edit this customer.");
        await ann.FillAsync("[name=name]", "Typed before the loss");
        await sue.ClickAsync("#edit");
        await sue.ClickAsync("#take");
        await SaysAsync(sue, "You edit this customer.");
        await SaysAsync(ann, "The lock is lost (taken). Your text is still in the form, and is not saved.");
        await Expect(ann.Locator("[name=name]")).ToHaveValueAsync("Typed before the loss");
        await Expect(sue.Locator("[name=name]")).ToHaveValueAsync("Ada Ltd");

        // A page that does not know of its loss is refused by the server.
        var body = """{"name": "Late", "phone": "1", "leaseId": "lease-of-nobody", "fence": 1}""";
        var answer = await ann.EvaluateAsync<string>(
            """
            async (body) => {
              const headers = { 'Content-Type': 'application/json' };
              const answer = await fetch('/api/customers/1', { method: 'PUT', headers, body });
              return `${answer.status} ${(await answer.json()).code}`;
            }
            """,
            body
        );
        Assert.Equal("409 lease_lost", answer);
        Assert.Empty(chromium.Faults);
    }

    private static async Task<IPage> OpenAsync(Chromium chromium, string user, string query = "")
    {
        var page = await chromium.OpenAsync(user, query);
        await Expect(page.Locator("[name=name]")).ToHaveValueAsync("Ada Ltd");
        return page;
    }

    private static Task SaysAsync(IPage page, string text) => Expect(page.Locator("#message")).ToHaveTextAsync(text);
}
