using System.Text.RegularExpressions;
using Dunlin.Guides.Tests.Support;
using FakeModel;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dunlin.Guides.Tests.AiChat;

/// <summary>The program and the page of examples/ai-chat in Chromium, with a model that waits for the test.</summary>
public sealed class ChatPageTests
{
    private const string Question = "Why do flocks turn at once?";
    private static readonly string Whole = FakeText.AnswerTo(Question);

    [Fact]
    public async Task Reload_in_mid_answer_shows_every_token_once()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var page = await OpenAsync(chromium);
        await AskAsync(page);
        foreach (var tokens in new[] { 7, 19, 40 })
        {
            await model.GrantAsync(tokens - await CountAsync(page));
            await Expect(Answer(page)).ToHaveTextAsync(ModelUnderTest.Start(Question, tokens));
            await page.ReloadAsync();
            await Expect(Answer(page)).ToHaveTextAsync(ModelUnderTest.Start(Question, tokens));
        }
        await model.GrantAllAsync();
        await Expect(page.Locator("li.assistant[data-state=done]")).ToHaveCountAsync(1);
        await Expect(Answer(page)).ToHaveTextAsync(Whole);
        await Expect(page.Locator("#announcer")).ToHaveTextAsync(Whole);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Other_device_shows_the_answer_and_stops_it()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var laptop = await OpenAsync(chromium);
        var phone = await OpenAsync(chromium, Phone);
        await AskAsync(laptop);
        await model.GrantAsync(6);
        var start = ModelUnderTest.Start(Question, 6);
        await phone.ClickAsync("#toggle");
        await phone.ClickAsync("#list a");
        await Expect(Answer(phone)).ToHaveTextAsync(start);

        await phone.ClickAsync("#stop");
        await model.WhenOpenAsync(0);
        await model.GrantAllAsync();
        foreach (var page in new[] { laptop, phone })
        {
            await Expect(page.Locator(".outcome")).ToContainTextAsync("Stopped.");
            await Expect(Answer(page)).ToHaveTextAsync(start);
            await Expect(page.Locator("#send")).ToBeVisibleAsync();
        }

        await laptop.ClickAsync("text=Continue");
        await Expect(Answer(laptop)).ToHaveTextAsync(Whole);
        await Expect(Answer(phone)).ToHaveTextAsync(Whole);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Killed_server_continues_the_answer_after_its_start()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var page = await OpenAsync(chromium);
        await AskAsync(page);
        await model.GrantAsync(9);
        await Expect(Answer(page)).ToHaveTextAsync(ModelUnderTest.Start(Question, 9));

        await program.KillAsync();
        await model.WhenOpenAsync(0);
        await Expect(page.Locator("#connection")).Not.ToHaveAttributeAsync("data-state", "live");
        await program.StartAsync(Options(model));
        await model.GrantAllAsync();
        await Expect(page.Locator("li.assistant[data-state=done]")).ToHaveCountAsync(1);
        await Expect(Answer(page)).ToHaveTextAsync(Whole);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Question_to_a_dead_server_is_sent_after_its_start()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var page = await OpenAsync(chromium);
        await program.KillAsync();
        await AskAsync(page);
        await Expect(page.Locator("li[data-state=unsent]")).ToHaveTextAsync(new Regex(Regex.Escape(Question)));
        await model.GrantAllAsync();
        await program.StartAsync(Options(model));
        await Expect(Answer(page)).ToHaveTextAsync(Whole);
        await Expect(page.Locator("li.user")).ToHaveCountAsync(1);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Error_of_the_model_is_shown_and_tried_again()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var page = await OpenAsync(chromium);
        await model.RefuseNextAsync(500);
        await AskAsync(page);
        await Expect(page.Locator(".outcome")).ToContainTextAsync("The model refused to answer (500).");
        await model.GrantAllAsync();
        await page.ClickAsync("text=Try again");
        await Expect(Answer(page)).ToHaveTextAsync(Whole);
        await Expect(page.Locator(".outcome")).ToHaveCountAsync(0);
        Assert.Empty(chromium.Faults);
    }

    [Fact]
    public async Task Keyboard_asks_and_stops_and_the_phone_needs_no_sideways_scroll()
    {
        await using var model = await ModelUnderTest.StartAsync();
        await using var program = await StartAsync(model);
        await using var chromium = await Chromium.StartAsync(program.Address);
        var page = await OpenAsync(chromium, Phone);
        await Expect(page.Locator("#text")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("One line");
        await page.Keyboard.PressAsync("Shift+Enter");
        await page.Keyboard.TypeAsync(new string('x', 200));
        await page.Keyboard.PressAsync("Enter");
        await model.WhenOpenAsync(1);
        await Expect(page.Locator("li.user .text")).ToHaveTextAsync("One line\n" + new string('x', 200));
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator(".outcome")).ToContainTextAsync("Stopped.");
        await model.WhenOpenAsync(0);
        Assert.Equal(0, await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth"));
        Assert.Empty(chromium.Faults);
    }

    private static readonly BrowserNewContextOptions Phone = new()
    {
        ViewportSize = new ViewportSize { Width = 390, Height = 780 },
        HasTouch = true,
    };

    private static Task<GuideProgram> StartAsync(ModelUnderTest model) =>
        GuideProgram.StartExampleAsync("ai-chat", "AiChat", Options(model));

    private static string[] Options(ModelUnderTest model) => ["--Model:Address", model.Address];

    private static async Task<IPage> OpenAsync(Chromium chromium, BrowserNewContextOptions? options = null)
    {
        var page = await chromium.OpenAsync("ann", options: options);
        await Expect(page.Locator("#connection")).ToHaveTextAsync("Real-time updates active");
        return page;
    }

    private static async Task AskAsync(IPage page)
    {
        await page.FillAsync("#text", Question);
        await page.ClickAsync("#send");
    }

    private static ILocator Answer(IPage page) => page.Locator("li.assistant .text");

    private static async Task<int> CountAsync(IPage page) =>
        FakeText.TokensOf(await Answer(page).CountAsync() == 0 ? "" : await Answer(page).InnerTextAsync()).Count();
}
