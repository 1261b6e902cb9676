using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Support;

/// <summary>A real nginx in front of one server, with the settings that a test needs.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-nginx-").FullName;
    private ServerProcess? _process;

    public Uri Address { get; private set; } = null!;

    /// <param name="server">The server behind nginx.</param>
    /// <param name="settings">Directives of the context <c>server</c>.</param>
    public static async Task<Nginx> StartAsync(Uri server, string settings)
    {
        var nginx = new Nginx();
        var port = ServerProcess.FreePort();
        nginx.Address = new Uri($"http://127.0.0.1:{port}");
        var folder = nginx._folder;
        await File.WriteAllTextAsync(
            Path.Combine(folder, "nginx.conf"),
            $$"""
            daemon off;
            master_process off;
            pid {{folder}}/nginx.pid;
            events { worker_connections 256; }
            http {
                access_log off;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                server {
                    listen 127.0.0.1:{{port}};
                    {{settings}}
                    location / {
                        proxy_pass {{server.GetLeftPart(UriPartial.Authority)}};
                        proxy_http_version 1.1;
                    }
                }
            }
            """
        );
        nginx._process = ServerProcess.Start(
            ServerProcess.Find("nginx", "nginx"),
            ["-e", "stderr", "-p", folder, "-c", Path.Combine(folder, "nginx.conf")]
        );
        await Eventually.TrueAsync(() => nginx.ListensAsync(port));
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> ListensAsync(int port)
    {
        Assert.False(_process!.HasExited, "nginx ended: " + _process.Output);
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
