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

/// <summary>The host as it is shipped, on a free port, with its demo data in a folder of its own and on manual time.</summary>
internal sealed class DocumentsHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;
    private readonly List<DocumentsClient> _clients = [];

    private DocumentsHost(WebApplication app, string folder, ManualTime time)
    {
        _app = app;
        _folder = folder;
        Time = time;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public ManualTime Time { get; }

    public Uri Address { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<DocumentsHost> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-documents-").FullName;
        var time = new ManualTime();
        var app = HostApplication.Build(
            new HostSettings
            {
                Port = 0,
                Data = folder,
                Demo = true,
                Store = TestStore.ConnectionString(folder),
            },
            services =>
            {
                services.AddSingleton<TimeProvider>(time);
                services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 10);
                services.AddLogging(logging => logging.ClearProviders());
                services.Configure<HostingOptions>(hosting => hosting.DrainWindow = TimeSpan.Zero); // manual time does not pass by itself
                services.Remove(services.Single(s => s.ImplementationType == typeof(Announcement)));
            }
        );
        await app.StartAsync();
        return new DocumentsHost(app, folder, time);
    }

    /// <summary>Signs in: a new session, as in a browser of its own.</summary>
    public async Task<DocumentsClient> SignInAsync(string username)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 100 })
        {
            BaseAddress = Address,
            Timeout = TimeSpan.FromSeconds(60),
        };
        using var response = await http.PostAsJsonAsync("/api/v1/auth/login", new { username, password = DemoData.Password });
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, answer.ToString());
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.GetProperty("accessToken").GetString());
        http.DefaultRequestHeaders.Add("Dunlin-Device", $"device-{_clients.Count}");
        var client = new DocumentsClient(http, answer.GetProperty("sessionId").GetString()!);
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
