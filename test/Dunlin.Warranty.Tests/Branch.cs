using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Dunlin.Apps.Warranty;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Warranty.Tests;

/// <summary>The warranty system alone, on a real SQLite file behind a real Kestrel, on manual time. bob and carol work in
/// branch 1, dave in branch 3; admin is an administrator.</summary>
internal sealed class Branch : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private Branch(WebApplication app, string folder, ManualTime time) => (_app, _folder, Time) = (app, folder, time);

    public ManualTime Time { get; }

    public Uri Address { get; private set; } = null!;

    public IJournal Journal => _app.Services.GetRequiredService<IJournal>();

    public IServiceProvider Services => _app.Services;

    public static async Task<Branch> OpenAsync()
    {
        var (folder, time) = (Directory.CreateTempSubdirectory("dunlin-warranty-").FullName, new ManualTime());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddDunlin().AddTestStore(folder, "warranty.db").AddWarranty();
        builder.Services.Configure<HostingOptions>(o => o.DrainWindow = TimeSpan.Zero);
        var app = builder.Build();
        app.UseDunlinProblems();
        app.Use(
            (context, next) =>
            {
                if ((string?)context.Request.Headers["X-User"] is { Length: > 0 } user)
                    context.User = new ClaimsPrincipal(
                        new ClaimsIdentity([new("sub", user), new("name", user), new("sid", "session-" + user), new("roles", user)], "test")
                    );
                return next(context);
            }
        );
        app.MapDunlin();
        app.MapWarranty();
        var branch = new Branch(app, folder, time);
        await app.StartAsync();
        branch.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        await WarrantyDemo.SeedAsync(
            app.Services.GetRequiredService<IStore>(),
            new Dictionary<long, IReadOnlyList<string>>
            {
                [1] = ["bob", "carol"],
                [2] = ["bob"],
                [3] = ["dave"],
            },
            default
        );
        return branch;
    }

    public User As(string? name) => new(this, name);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>One user's requests.</summary>
internal sealed class User : IDisposable
{
    private readonly HttpClient _client;

    public User(Branch branch, string? name)
    {
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = branch.Address,
        };
        if (name is not null)
            _client.DefaultRequestHeaders.Add("X-User", name);
    }

    public HttpClient Client => _client;

    public async Task<(int Status, JsonElement Body)> SendAsync(
        string method,
        string path,
        object? body = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/warranty/" + path);
        if (body is not null)
            request.Content = body is string raw ? new StringContent(raw, Encoding.UTF8, "application/json") : JsonContent.Create(body);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone());
    }

    /// <summary>Sends, expects success, and returns the body.</summary>
    public async Task<JsonElement> DoAsync(string method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        var (status, answer) = await SendAsync(method, path, body, headers);
        Assert.True(status is >= 200 and < 300, $"{status}: {answer}");
        return answer;
    }

    /// <summary>Sends, expects a problem with this status and code, and returns it.</summary>
    public async Task<JsonElement> RefusedAsync(
        int status,
        string code,
        string method,
        string path,
        object? body = null,
        params (string Name, string Value)[] headers
    )
    {
        var (got, problem) = await SendAsync(method, path, body, headers);
        Assert.True(got == status, $"{got} instead of {status}: {problem}");
        Assert.Equal(code, problem.GetProperty("code").GetString());
        return problem;
    }

    public Task<JsonElement> PatchAsync(int id, object updates, object? leases = null) =>
        DoAsync("PATCH", $"cases/{id}", new { updates, leases });

    public async Task<(string LeaseId, long Fence)> LockAsync(int id, string field, string leaseId)
    {
        var grant = await DoAsync("PUT", $"cases/{id}/locks/{field}", new { leaseId });
        return (leaseId, grant.GetProperty("fence").GetInt64());
    }

    public void Dispose() => _client.Dispose();
}
