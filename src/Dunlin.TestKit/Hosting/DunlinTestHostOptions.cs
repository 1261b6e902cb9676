using Dunlin.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit;

/// <summary>What a <see cref="DunlinTestHost"/> consists of beside the engine.</summary>
public sealed class DunlinTestHostOptions
{
    /// <summary>The host's clock. By default manual time that stands still until the test moves it.</summary>
    public ManualTime Time { get; set; } = new();

    /// <summary>The folder of the host, deleted with it: the place for a database file.</summary>
    public string Folder { get; internal init; } = "";

    /// <summary>The lowest level that <see cref="DunlinTestHost.Log"/> keeps.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>Adds to the engine: a store, policies, systems. By default the store is in memory.</summary>
    public Action<DunlinBuilder>? Dunlin { get; set; }

    /// <summary>Adds services and options of the application, after those of the engine.</summary>
    public Action<IServiceCollection>? Services { get; set; }

    /// <summary>Configures the web application's builder, before anything else is added.</summary>
    public Action<WebApplicationBuilder>? Builder { get; set; }

    /// <summary>Adds the authentication. By default <see cref="TestUsers.UseTestUsers(IApplicationBuilder)"/>.</summary>
    public Action<WebApplication> Authentication { get; set; } = static app => app.UseTestUsers();

    /// <summary>Maps the application's endpoints, after those of the engine.</summary>
    public Action<WebApplication>? Map { get; set; }

    /// <summary>Where Kestrel listens. By default a free port of 127.0.0.1, the same one after a restart.</summary>
    public Action<KestrelServerOptions>? Listen { get; set; }
}
