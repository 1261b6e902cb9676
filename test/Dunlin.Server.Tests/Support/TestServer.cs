using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Server.Tests.Support;

/// <summary>
/// The server in this process: real Kestrel, and real SQLite (or PostgreSQL, see <see cref="TestStore"/>) in its own folder. If
/// <c>DUNLIN_TEST_SERVER</c> names a program, that program in a process of its own.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly DunlinTestHost? _host;
    private readonly ServerProgram? _program;
    private (string Name, string Value)[] _settings;

    private TestServer(DunlinTestHost? host, ServerProgram? program, (string Name, string Value)[] settings) =>
        (_host, _program, _settings) = (host, program, settings);

    public Uri Address => _host?.Address ?? _program!.Address;

    public static async Task<TestServer> StartAsync(params (string Name, string Value)[] settings)
    {
        if (ServerProgram.Named is null)
            return await StartInProcessAsync(settings);
        var server = new TestServer(null, new ServerProgram(), settings);
        await server.StartAgainAsync(settings);
        return server;
    }

    /// <summary>Starts the server in this process, whichever program is named.</summary>
    public static async Task<TestServer> StartInProcessAsync(params (string Name, string Value)[] settings)
    {
        TestServer? server = null;
        var host = await DunlinTestHost.StartAsync(host => Build(host, server?._settings ?? settings));
        return server = new TestServer(host, null, settings);
    }

    /// <summary>Starts again on the same folder after <see cref="StopAsync"/>.</summary>
    public Task StartAgainAsync(params (string Name, string Value)[] settings)
    {
        _settings = settings;
        if (_host is not null)
            return _host.StartAsync();
        foreach (var (name, value) in Given(_program!.Folder, settings))
            _program.Settings["Dunlin__" + name.Replace(":", "__", StringComparison.Ordinal)] = value!;
        return _program.StartAsync();
    }

    public Task StopAsync() => _host?.StopAsync() ?? _program!.KillAsync();

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? _program!.DisposeAsync();

    private static Dictionary<string, string?> Given(string folder, (string Name, string Value)[] settings)
    {
        var given = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Tokens:SigningKey"] = Mint.KeyText };
        if (TestStore.ConnectionString(folder) is { } store)
            given["Store"] = store;
        foreach (var (name, value) in settings)
            given[name] = value;
        return given;
    }

    private static WebApplication Build(DunlinTestHost host, (string Name, string Value)[] settings)
    {
        var given = Given(host.Folder, settings);
        (given["Port"], given["Data"]) = ("0", host.Folder);
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
