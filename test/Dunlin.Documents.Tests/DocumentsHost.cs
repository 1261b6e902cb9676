using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Documents.Tests;

/// <summary>The shipped host on a free port, with demo data in its own folder and on manual time.</summary>
internal sealed class DocumentsHost : IAsyncDisposable
{
    private readonly DunlinTestHost _host;
    private readonly List<DocumentsClient> _clients = [];

    private DocumentsHost(DunlinTestHost host) => _host = host;

    public ManualTime Time => _host.Time;

    public Uri Address => _host.Address;

    public IServiceProvider Services => _host.Services;

    public static async Task<DocumentsHost> StartAsync() =>
        new(
            await DunlinTestHost.StartAsync(static host =>
                DemoHost.Build(host, settings => settings with { Store = TestStore.ConnectionString(host.Folder) })
            )
        );

    /// <summary>Signs in with a new session, as a separate browser does.</summary>
    public async Task<DocumentsClient> SignInAsync(string username)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 100 })
        {
            BaseAddress = Address,
            Timeout = TimeSpan.FromSeconds(60),
        };
        var answer = await http.SignInAsync(username, DemoData.Password);
        http.DefaultRequestHeaders.Add("Dunlin-Device", $"device-{_clients.Count}");
        var client = new DocumentsClient(http, answer.GetProperty("sessionId").GetString()!);
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await _host.DisposeAsync();
    }
}
