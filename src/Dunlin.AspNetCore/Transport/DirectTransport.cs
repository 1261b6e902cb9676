using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Transport;

/// <summary>A transport for servers with many event streams.</summary>
public static class DirectTransport
{
    /// <summary>
    /// Puts Dunlin's own transport below Kestrel. HTTP, TLS and HTTP/2 stay Kestrel's. What changes: responses are sent on the
    /// thread that flushes them; and an event stream over plain HTTP/1.1, once its head has been sent, leaves Kestrel with its
    /// socket, so that an idle stream costs its socket and its subscription and no more.
    /// <code>builder.WebHost.UseDirectTransport();</code>
    /// </summary>
    /// <remarks>
    /// A stream that has left is over for the web server: its request ends in logs and request metrics when the stream begins, and
    /// it is not among Kestrel's connections. Dunlin's own metrics and limits count it, and
    /// <see cref="Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerLimits.MaxConcurrentConnections"/> holds for both together.
    /// </remarks>
    public static IWebHostBuilder UseDirectTransport(this IWebHostBuilder builder) =>
        builder.ConfigureServices(services => services.AddSingleton<IConnectionListenerFactory, DirectListenerFactory>());
}
