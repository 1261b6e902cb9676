using System.Net;
using Dunlin.Hosting;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Apps.Common;

/// <summary>Creates the web server of the programs in this folder, with Kestrel limits for many open streams.</summary>
public static class WebServer
{
    private const int MaxRequestLine = 64 * 1024;

    /// <summary>Creates a builder that listens on one address and port.</summary>
    public static WebApplicationBuilder CreateBuilder(IPAddress address, int port)
    {
        var builder = CreateBuilder();
        builder.Listen(address, port);
        return builder;
    }

    /// <summary>Creates a builder that does not listen yet, because its own configuration contains the address.</summary>
    public static WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelHttpsConfiguration().UseDirectTransport();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        ProgramRun.QuietStart(builder);
        return builder;
    }

    /// <summary>Listens on one address and port; port 0 selects a free one.</summary>
    public static void Listen(this WebApplicationBuilder builder, IPAddress address, int port) =>
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Fits 64 topics of 200 characters, percent-encoded: the maximum of one stream.
            kestrel.Limits.MaxRequestLineSize = MaxRequestLine;
            kestrel.LimitConnectionsToOpenFiles();
            kestrel.Listen(address, port);
        });
}
