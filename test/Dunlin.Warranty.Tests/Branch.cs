using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Dunlin.Apps.Warranty;
using Dunlin.Apps.Warranty.Cases;
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

/// <summary>
/// The warranty system on a real SQLite file behind a real Kestrel, on manual time. bob and carol work in branch 1, dave in branch 3; admin
/// is an administrator.
/// </summary>
internal sealed class Branch : IAsyncDisposable
{
    private readonly DunlinTestHost _host;

    private Branch(DunlinTestHost host) => _host = host;

    public ManualTime Time => _host.Time;

    public Uri Address => _host.Address;

    public IJournal Journal => _host.Journal;

    public IServiceProvider Services => _host.Services;

    public static async Task<Branch> OpenAsync()
    {
        var host = await DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin => dunlin.AddTestStore(options.Folder, "warranty.db").AddWarranty();
            options.Authentication = static app =>
                app.UseTestUsers(static user => new ClaimsPrincipal(
                    new ClaimsIdentity([new("sub", user), new("name", user), new("sid", "session-" + user), new("roles", user)], "test")
                ));
            options.Map = static app => app.MapWarranty();
        });
        await WarrantyDemo.SeedAsync(
            host.Store,
            new Dictionary<long, IReadOnlyList<string>>
            {
                [1] = ["bob", "carol"],
                [2] = ["bob"],
                [3] = ["dave"],
            },
            default
        );
        return new Branch(host);
    }

    public User As(string? name) => new(this, name);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    public HttpClient Client(string? user) => _host.Client(user);
}

/// <summary>One user's requests.</summary>
internal sealed class User : IDisposable
{
    private readonly HttpClient _client;

    public User(Branch branch, string? name) => _client = branch.Client(name);

    public HttpClient Client => _client;

    public async Task<(int Status, JsonElement Body)> SendAsync(
        string method,
        string path,
        object? body = null,
        params (string Name, string Value)[] headers
    )
    {
        var answer = await _client.SendJsonAsync(method, "/api/warranty/" + path, body, headers);
        return (answer.Status, answer.Body);
    }

    /// <summary>Sends a request, expects success and returns the body.</summary>
    public async Task<JsonElement> DoAsync(string method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        var (status, answer) = await SendAsync(method, path, body, headers);
        Assert.True(status is >= 200 and < 300, $"{status}: {answer}");
        return answer;
    }

    /// <summary>Sends a request, expects a problem with this status and code, and returns it.</summary>
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
