using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Transport;

/// <summary>Extends <see cref="IWebHostBuilder"/> with a transport for servers with many event streams.</summary>
public static class DirectTransport
{
    /// <summary>Replaces Kestrel's socket transport with Dunlin's. Kestrel still handles HTTP, TLS and HTTP/2.</summary>
    /// <param name="builder">The web host.</param>
    /// <returns>The same web host.</returns>
    /// <remarks>
    /// The transport sends responses on the thread that flushes them. After the response headers, an event stream over plain HTTP/1.1
    /// leaves Kestrel with its socket. An idle stream then costs its socket and its subscription only.
    /// <para>
    /// The web server treats a stream that has left as complete: its request ends in logs and request metrics when the stream begins, and
    /// Kestrel does not count its connection. Dunlin's own metrics and limits count it, and
    /// <see cref="Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerLimits.MaxConcurrentConnections"/> limits both kinds together.
    /// </para>
    /// </remarks>
    /// <example>
    /// <code>builder.WebHost.UseDirectTransport();</code>
    /// </example>
    public static IWebHostBuilder UseDirectTransport(this IWebHostBuilder builder) =>
        builder.ConfigureServices(services => services.AddSingleton<IConnectionListenerFactory, DirectListenerFactory>());
}
