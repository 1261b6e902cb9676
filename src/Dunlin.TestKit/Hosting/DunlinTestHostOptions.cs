using Dunlin.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit;

/// <summary>Holds the options of a <see cref="DunlinTestHost"/>.</summary>
public sealed class DunlinTestHostOptions
{
    /// <summary>Gets or sets the clock of the host. Default: manual time, which advances only when the test advances it.</summary>
    public ManualTime Time { get; set; } = new();

    /// <summary>Gets the folder of the host, for example for a database file. It is deleted on disposal.</summary>
    public string Folder { get; internal init; } = "";

    /// <summary>Gets or sets the lowest level that <see cref="DunlinTestHost.Log"/> records. Default:
    /// <see cref="LogLevel.Information"/>.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>Gets or sets the function that adds a store, policies and features to the engine. Default: null, which adds the in-memory
    /// store.</summary>
    public Action<DunlinBuilder>? Dunlin { get; set; }

    /// <summary>Gets or sets the function that adds services and options of the application after those of the engine. Default:
    /// null.</summary>
    public Action<IServiceCollection>? Services { get; set; }

    /// <summary>Gets or sets the function that configures the application builder before all other parts. Default: null.</summary>
    public Action<WebApplicationBuilder>? Builder { get; set; }

    /// <summary>Gets or sets the function that adds the authentication. Default:
    /// <see cref="TestUsers.UseTestUsers(IApplicationBuilder)"/>.</summary>
    public Action<WebApplication> Authentication { get; set; } = static app => app.UseTestUsers();

    /// <summary>Gets or sets the function that maps endpoints of the application after those of the engine. Default: null.</summary>
    public Action<WebApplication>? Map { get; set; }

    /// <summary>Gets or sets the function that configures the addresses of Kestrel. Default: null, which uses a free port of 127.0.0.1 and
    /// keeps it across restarts.</summary>
    public Action<KestrelServerOptions>? Listen { get; set; }
}
