using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Server.Tests.Support;

/// <summary>
/// The server in this process: real Kestrel, and real SQLite (or PostgreSQL, see <see cref="TestStore"/>) in a folder of its own.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-server-");
    private WebApplication _app = null!;

    public Uri Address { get; private set; } = null!;

    public string Data => _folder.FullName;

    public IServiceProvider Services => _app.Services;

    public static async Task<TestServer> StartAsync(params (string Name, string Value)[] settings)
    {
        var server = new TestServer();
        await server.StartAgainAsync(settings);
        return server;
    }

    /// <summary>Starts on the same folder, after <see cref="StopAsync"/>.</summary>
    public async Task StartAgainAsync(params (string Name, string Value)[] settings)
    {
        var given = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Port"] = "0",
            ["Data"] = Data,
            ["Tokens:SigningKey"] = Mint.KeyText,
        };
        if (TestStore.ConnectionString(Data) is { } store)
            given["Store"] = store;
        foreach (var (name, value) in settings)
            given[name] = value;
        _app = ServerApplication.Build(
            given,
            null,
            services =>
            {
                services.AddLogging(logging => logging.ClearProviders());
                services.Remove(services.Single(service => service.ImplementationType == typeof(Announcement)));
                services.Configure<HostingOptions>(options => options.DrainWindow = TimeSpan.Zero);
            }
        );
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }
}
