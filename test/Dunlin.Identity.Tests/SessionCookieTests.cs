using System.Net;
using System.Net.Http.Json;
using Dunlin.AspNetCore.Tests;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity.Tests;

/// <summary>Cookies belong to a host name and ignore the port. Two servers on one host must not disturb each other.</summary>
public sealed class SessionCookieTests
{
    private const string OneName = "shared";

    [Fact]
    public async Task Two_servers_on_one_host_name_have_separate_sessions()
    {
        await using var first = await StartAsync(cookieName: null);
        await using var second = await StartAsync(cookieName: null);
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }); // one jar, as in a browser
        await SignInAsync(browser, first);
        await SignInAsync(browser, second);
        await RequireSignedInAsync(browser, first);
        await RequireSignedInAsync(browser, second);

        using var logout = await browser.PostAsync(new Uri(second.Address, "/api/v1/auth/logout"), null);
        Assert.Equal(HttpStatusCode.NoContent, logout.StatusCode);
        await RequireSignedInAsync(browser, first);
        using var signedOut = await browser.GetAsync(new Uri(second.Address, "/api/whoami"));
        await HttpAssert.ProblemAsync(signedOut, 401, "not_signed_in");
    }

    [Theory]
    [InlineData("refresh")]
    [InlineData("logout")]
    public async Task A_cookie_without_a_session_here_stays_unchanged(string call)
    {
        await using var first = await StartAsync(OneName);
        await using var second = await StartAsync(OneName);
        var jar = new CookieContainer();
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = jar });
        await SignInAsync(browser, first);
        using var response = await browser.PostAsync(new Uri(second.Address, $"/api/v1/auth/{call}"), null);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        await RequireSignedInAsync(browser, first);
    }

    [Fact]
    public async Task Sign_in_with_a_foreign_cookie_ends_no_session_of_another_server()
    {
        await using var first = await StartAsync(OneName);
        await using var second = await StartAsync(OneName);
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() });
        await SignInAsync(browser, first);
        using var client = first.Plain();
        var session = await first.SignInAsync(client, "alice");
        await SignInAsync(browser, second);
        using var who = await client.SendAsync(HttpMethod.Get, "/api/whoami", session.Token);
        Assert.Equal(HttpStatusCode.OK, who.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a;b")]
    [InlineData("a=b")]
    [InlineData("caf\u00e9")]
    [InlineData("a\nb")]
    public async Task An_invalid_cookie_name_is_refused_at_start(string name)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(name));
        Assert.Contains("AccountOptions.CookieName", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<TestHost> StartAsync(string? cookieName)
    {
        var host = await TestHost.StartAsync(new HostSetup { Accounts = accounts => accounts.CookieName = cookieName });
        await host.CreateAsync("alice");
        return host;
    }

    private static async Task SignInAsync(HttpClient browser, TestHost host)
    {
        using var response = await browser.PostAsJsonAsync(
            new Uri(host.Address, "/api/v1/auth/login"),
            new { username = "alice", password = TestHost.Password }
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static async Task RequireSignedInAsync(HttpClient browser, TestHost host)
    {
        using var who = await browser.GetAsync(new Uri(host.Address, "/api/whoami"));
        Assert.Equal(HttpStatusCode.OK, who.StatusCode);
    }
}
