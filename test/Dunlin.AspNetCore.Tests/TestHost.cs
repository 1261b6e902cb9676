using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.Identity;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests;

/// <summary>The configuration that a test changes.</summary>
internal sealed class HostSetup
{
    public Action<AccountOptions>? Accounts { get; init; }
    public Action<AccessTokenOptions>? Tokens { get; init; }
    public Action<OriginOptions>? Origins { get; init; }
    public Action<IServiceCollection>? Services { get; init; }
    public Action<WebApplication>? Map { get; init; }
}

/// <summary>A real server on a free port with accounts, fake stores, its own clock and its complete log.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    /// <summary>A fixed name for tests; the default depends on the key.</summary>
    public const string CookieName = "dunlin_session";

    private readonly DunlinTestHost _host;

    private TestHost(DunlinTestHost host, ManualTime clock) => (_host, Clock) = (host, clock);

    public ManualTime Clock { get; }

    public TestLog Log => _host.Log;

    public IServiceProvider Services => _host.Services;

    public Uri Address => _host.Address;

    public string KeyFile => Path.Combine(_host.Folder, "data", "signing.key");

    public FakeAccountStore AccountStore => (FakeAccountStore)Services.GetRequiredService<IAccountStore>();

    public FakeSessionStore SessionStore => (FakeSessionStore)Services.GetRequiredService<ISessionStore>();

    public IAccounts Accounts => Services.GetRequiredService<IAccounts>();

    public AccessChanges Changes => Services.GetRequiredService<AccessChanges>();

    public static async Task<TestHost> StartAsync(HostSetup? setup = null)
    {
        var clock = new ManualTime();
        return new TestHost(await DunlinTestHost.StartAsync(host => Build(host, clock, setup ?? new())), clock);
    }

    /// <summary>A client with cookies that follows no redirects.</summary>
    public HttpClient Browser() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };

    /// <summary>A client without cookies.</summary>
    public HttpClient Plain() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address };

    public async Task<UserAccount> CreateAsync(string username, params string[] roles) =>
        await Accounts.CreateAsync(new NewAccount(username, Password, $"{username} Example", roles) { UserId = $"id-{username}" }, default);

    public async Task<SignedIn> SignInAsync(HttpClient client, string username)
    {
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username, password = Password });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var json = (await response.Content.ReadFromJsonAsync<JsonElement>());
        return new SignedIn(json.GetProperty("sessionId").GetString()!, json.GetProperty("accessToken").GetString()!, Cookie(response)!);
    }

    /// <summary>Returns the session cookie that a response sets, or null.</summary>
    public static string? Cookie(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? cookies.Single()[(cookies.Single().IndexOf('=', StringComparison.Ordinal) + 1)..].Split(';')[0]
            : null;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static WebApplication Build(DunlinTestHost host, ManualTime clock, HostSetup setup)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = host.Folder, EnvironmentName = "Production" }
        );
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, host.Port));
        host.Configure(builder.Services, manualTime: false, LogLevel.Trace);
        builder
            .Services.AddSingleton<TimeProvider>(clock)
            .AddSingleton<IAccountStore, FakeAccountStore>()
            .AddSingleton<ISessionStore, FakeSessionStore>();
        builder.Services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 100);
        builder.Services.AddAuthorization();
        new DunlinBuilder(builder.Services)
            .AddAccounts(accounts =>
            {
                accounts.CookieName = CookieName;
                setup.Accounts?.Invoke(accounts);
            })
            .AddTokens(setup.Tokens)
            .AddOrigins(setup.Origins);
        setup.Services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseDunlinSecurity();
        app.MapDunlinAccounts();
        app.MapGet("/api/whoami", context => context.Response.WriteAsJsonAsync(Describe(context.RequireCaller())));
        app.MapPost("/api/write", context => context.Response.WriteAsJsonAsync(Describe(context.RequireCaller())));
        app.MapGet("/api/stream", context => context.Response.WriteAsJsonAsync(Describe(context.RequireCaller())))
            .WithMetadata(AcceptsTicket.Instance);
        app.MapGet("/api/guarded", () => "in").RequireAuthorization();
        app.MapPost("/api/guarded", () => "in").RequireAuthorization();
        app.MapGet("/api/admin", () => "in").RequireAuthorization(policy => policy.RequireRole("admin"));
        setup.Map?.Invoke(app);
        return app;
    }

    private static object Describe(Caller caller) =>
        new
        {
            caller.UserId,
            caller.Name,
            caller.SessionId,
            caller.DeviceId,
            caller.ConnectionId,
            Roles = caller.Roles.Order(StringComparer.Ordinal),
            caller.ExpiresAt,
        };
}

internal sealed record SignedIn(string SessionId, string Token, string Cookie);

internal static class HttpAssert
{
    public static StringContent Json(string text, string contentType = "application/json")
    {
        var content = new StringContent(text, Encoding.UTF8);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return content;
    }

    /// <summary>Checks status, code and form of a problem document (RFC 9457), and returns it.</summary>
    public static async Task<JsonElement> ProblemAsync(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal($"/docs/reference/errors.html#{code}", problem.GetProperty("type").GetString());
        foreach (var member in new[] { "title", "detail", "class", "hint", "traceId" })
            Assert.False(string.IsNullOrEmpty(problem.GetProperty(member).GetString()), member);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        return problem;
    }

    public static async Task<HttpResponseMessage> SendAsync(
        this HttpClient client,
        HttpMethod method,
        string path,
        string? token = null,
        string? cookie = null,
        HttpContent? content = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        if (cookie is not null)
            request.Headers.TryAddWithoutValidation("Cookie", $"{TestHost.CookieName}={cookie}");
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await client.SendAsync(request);
    }
}
