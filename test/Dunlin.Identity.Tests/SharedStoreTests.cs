using System.Net;
using System.Net.Http.Json;
using Dunlin.AspNetCore.Tests;
using Dunlin.Hosting;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Identity.Tests;

/// <summary>Lockout and stamps across nodes on one PostgreSQL, and across a restart on one SQLite file.</summary>
public sealed class SharedStoreTests
{
    private readonly ManualTime _clock = new();

    [Fact]
    public async Task Concurrent_guesses_at_two_nodes_are_counted_together()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = await NodeAsync(postgres);
        await using var second = await NodeAsync(postgres);
        await CreateAsync(first);
        using HttpClient one = Client(first),
            two = Client(second);
        foreach (var name in new[] { "alice", "nobody" })
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => SignInAsync(i % 2 == 0 ? one : two, name, "wrong")));
            Assert.Equal((5, 55), (answers.Count(a => a == 401), answers.Count(a => a == 429)));
            // The right password does not end the wait, at any node.
            Assert.Equal(429, await SignInAsync(one, name, TestHost.Password));
            Assert.Equal(429, await SignInAsync(two, name, TestHost.Password));
        }
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await SignInAsync(two, "alice", TestHost.Password));
        Assert.Equal(200, await SignInAsync(one, "alice", TestHost.Password));
    }

    [Fact]
    public async Task Concurrent_account_changes_of_two_nodes_are_both_kept()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = await NodeAsync(postgres);
        await using var second = await NodeAsync(postgres);
        await CreateAsync(first);
        var one = first.Services.GetRequiredService<IAccounts>();
        var two = second.Services.GetRequiredService<IAccounts>();
        for (var i = 0; i < 10; i++)
        {
            await Task.WhenAll(
                one.SetRolesAsync("alice", [$"role{i}"], default).AsTask(),
                two.SetPasswordAsync("alice", $"password {i}", default).AsTask()
            );
            var account = await one.CheckPasswordAsync("alice", $"password {i}", default);
            Assert.Equal([$"role{i}"], account!.Roles);
        }
    }

    [Fact]
    public async Task A_new_stamp_ends_a_session_at_the_other_node()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = await NodeAsync(postgres);
        await using var second = await NodeAsync(postgres);
        await CreateAsync(first);
        using HttpClient one = Client(first),
            two = Client(second);
        using var login = await one.PostAsJsonAsync("/api/v1/auth/login", new { username = "alice", password = TestHost.Password });
        var cookie = TestHost.Cookie(login);
        using (var before = await two.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: cookie))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        // Bypasses IAccounts, as if the change of the session row had been missed.
        var accounts = first.Services.GetRequiredService<Dunlin.Accounts.IAccountStore>();
        var account = (await accounts.FindByIdAsync("alice", default))!;
        Assert.True(await accounts.SaveAsync(account with { SecurityStamp = "another" }, default));
        _clock.Advance(SessionCache.MaxAge);
        foreach (var client in new[] { one, two })
        {
            using var after = await client.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: cookie);
            await HttpAssert.ProblemAsync(after, 401, "not_signed_in");
        }
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("nobody")]
    public async Task Failed_sign_ins_survive_a_restart(string name)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-identity-").FullName;
        try
        {
            for (var start = 0; start < 2; start++)
            {
                await using var app = await StartAsync(dunlin => dunlin.AddSqlite(Path.Combine(folder, "test.db")), folder);
                if (start == 0)
                    await CreateAsync(app);
                using var client = Client(app);
                for (var i = 0; i < (start == 0 ? 3 : 2); i++)
                    Assert.Equal(401, await SignInAsync(client, name, "wrong"));
                if (start == 1)
                    Assert.Equal(429, await SignInAsync(client, name, TestHost.Password));
                await app.StopAsync();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Unknown_names_are_not_readable_in_the_store()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-identity-").FullName;
        try
        {
            await using (var app = await StartAsync(dunlin => dunlin.AddSqlite(Path.Combine(folder, "test.db")), folder))
            {
                using var client = Client(app);
                Assert.Equal(401, await SignInAsync(client, "my-password-typed-as-a-name", "wrong"));
                await app.StopAsync();
            }
            foreach (var file in Directory.GetFiles(folder, "test.db*"))
            {
                var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
                Assert.DoesNotContain("my-password-typed-as-a-name", text, StringComparison.OrdinalIgnoreCase);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> SignInAsync(HttpClient client, string username, string password)
    {
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username, password });
        return (int)response.StatusCode;
    }

    private static async Task CreateAsync(WebApplication app) =>
        await app
            .Services.GetRequiredService<IAccounts>()
            .CreateAsync(new NewAccount("alice", TestHost.Password, "Alice", []) { UserId = "alice" }, default);

    private static HttpClient Client(WebApplication app) =>
        new(new SocketsHttpHandler { UseCookies = false })
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };

    private Task<WebApplication> NodeAsync(PostgresServer postgres) =>
        StartAsync(dunlin => dunlin.AddPostgres(postgres.ConnectionString), folder: null);

    private async Task<WebApplication> StartAsync(Action<DunlinBuilder> store, string? folder)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = folder, EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 100);
        var dunlin = builder
            .Services.AddDunlin()
            .AddAccounts(accounts => (accounts.CookieName, accounts.FailuresPerAddress) = (TestHost.CookieName, 0));
        store(dunlin);
        var app = builder.Build();
        app.UseDunlinSecurity();
        app.MapDunlinAccounts();
        await app.StartAsync();
        return app;
    }
}
