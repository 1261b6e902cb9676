using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>How the owner of a list finds people to invite.</summary>
public sealed class InvitingTests(BrowserFixture browser)
{
    private const string People = "/api/v1/todos/people";

    [Fact]
    public async Task An_unknown_user_is_reported_and_known_people_are_offered()
    {
        await using var host = await TestHost.StartAsync();
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk");
        await LiveAsync(alice);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Share" }).First.ClickAsync();
        var field = alice.GetByLabel("User name to invite");
        await field.FillAsync("nobody-of-this-name");
        await field.PressAsync("Enter");
        await Expect(alice.Locator("#sharing-note")).ToHaveTextAsync("There is no user “nobody-of-this-name”.");
        await Expect(field).ToHaveValueAsync("nobody-of-this-name");
        await Expect(alice.Locator("[data-invited]")).ToHaveCountAsync(0);
        await alice.PictureAsync("todos-unknown-user");

        // By keyboard: members of her other lists are offered, and one choice fills the field.
        await field.FillAsync("");
        await Expect(alice.Locator("[data-person]:visible")).ToHaveCountAsync(2);
        await alice.PictureAsync("todos-people");
        await field.PressSequentiallyAsync("ba");
        await Expect(alice.Locator("[data-person]:visible")).ToHaveCountAsync(1);
        await field.PressAsync("ArrowDown");
        await field.PressAsync("Enter");
        await Expect(field).ToHaveValueAsync("bob");
        await field.PressAsync("Enter");
        await Expect(alice.Locator("[data-invited=bob]")).ToHaveCountAsync(1);
        await Expect(alice.Locator("#sharing-note")).ToHaveTextAsync("Bob Baker is invited.");
        await field.FillAsync("ALICE");
        await field.PressAsync("Enter");
        await Expect(alice.Locator("#sharing-note")).ToHaveTextAsync("Alice Archer sees this list already.");

        // A server that cannot be asked does not stop the invitation.
        await alice.RouteAsync($"**{People}**", route => route.AbortAsync());
        await field.FillAsync("carol");
        await field.PressAsync("Enter");
        await Expect(alice.Locator("[data-invited=carol]")).ToHaveCountAsync(1);
        await Expect(alice.Locator("#sharing-note")).ToContainTextAsync("could not be checked");
    }

    [Fact]
    public async Task Strangers_are_found_by_exact_name_only_and_at_a_limited_rate()
    {
        await using var host = await TestHost.StartAsync();
        using var dave = await host.ClientAsync("dave");
        using var carol = await host.ClientAsync("carol");
        Assert.Empty(await NamesAsync(dave, ""));
        Assert.Equal(["alice", "bob"], await NamesAsync(carol, ""));
        Assert.Equal(["bob"], await NamesAsync(dave, "?username=BOB"));
        Assert.Empty(await NamesAsync(dave, "?username=bo"));
        for (var i = 2; i < 60; i++)
            Assert.Empty(await NamesAsync(dave, $"?username=guess-{i}"));
        using (var refused = await dave.GetAsync($"{People}?username=guess"))
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(["dave"], await NamesAsync(carol, "?username=dave"));
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(await NamesAsync(dave, "?username=guess"));
        using var anonymous = new HttpClient { BaseAddress = host.Address };
        using var unknown = await anonymous.GetAsync(People);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
    }

    private static async Task<string[]> NamesAsync(HttpClient client, string query)
    {
        var answer = await client.GetFromJsonAsync<JsonElement>(People + query);
        return [.. answer.GetProperty("people").EnumerateArray().Select(person => person.GetProperty("username").GetString()!)];
    }
}
