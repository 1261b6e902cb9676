using Dunlin.TestKit;

namespace Dunlin.Server.Tests.Support;

/// <summary>Starts nginx in front of one server.</summary>
internal static class Proxies
{
    /// <param name="server">The server behind nginx.</param>
    /// <param name="settings">Directives of the block <c>server</c>.</param>
    public static Task<NginxProcess> StartNginxAsync(Uri server, string settings) =>
        NginxProcess.StartAsync(address =>
            $$"""
                server {
                    listen {{address}};
                    {{settings}}
                    location / {
                        proxy_pass {{server.GetLeftPart(UriPartial.Authority)}};
                        proxy_http_version 1.1;
                    }
                }
                """
        );
}
