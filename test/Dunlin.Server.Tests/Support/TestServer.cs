using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Server.Tests.Support;

/// <summary>
/// The server in this process: real Kestrel, and real SQLite (or PostgreSQL, see <see cref="TestStore"/>) in its own folder.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly DunlinTestHost _host;
    private (string Name, string Value)[] _settings;

    private TestServer(DunlinTestHost host, (string Name, string Value)[] settings) => (_host, _settings) = (host, settings);

    public Uri Address => _host.Address;

    public string Data => _host.Folder;

    public IServiceProvider Services => _host.Services;

    public static async Task<TestServer> StartAsync(params (string Name, string Value)[] settings)
    {
        TestServer? server = null;
        var host = await DunlinTestHost.StartAsync(host => Build(host, server?._settings ?? settings));
        return server = new TestServer(host, settings);
    }

    /// <summary>Starts again on the same folder after <see cref="StopAsync"/>.</summary>
    public Task StartAgainAsync(params (string Name, string Value)[] settings)
    {
        _settings = settings;
        return _host.StartAsync();
    }

    public Task StopAsync() => _host.StopAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static WebApplication Build(DunlinTestHost host, (string Name, string Value)[] settings)
    {
        var given = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Port"] = "0",
            ["Data"] = host.Folder,
            ["Tokens:SigningKey"] = Mint.KeyText,
        };
        if (TestStore.ConnectionString(host.Folder) is { } store)
            given["Store"] = store;
        foreach (var (name, value) in settings)
            given[name] = value;
        return ServerApplication.Build(
            given,
            null,
            services =>
            {
                host.Configure(services, manualTime: false);
                services.Remove(services.Single(service => service.ImplementationType == typeof(Announcement)));
            }
        );
    }
}
