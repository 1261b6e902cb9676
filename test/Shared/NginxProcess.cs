using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit.Servers;

namespace Dunlin.TestKit;

/// <summary>A real nginx with a configuration of its own.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-nginx-").FullName;
    private readonly int _port = ServerProcess.FreePort();
    private ServerProcess? _process;

    private NginxProcess() => Address = new Uri($"http://127.0.0.1:{_port}");

    public Uri Address { get; }

    /// <summary>Starts nginx, and returns when it listens.</summary>
    /// <param name="http">Returns directives of the block <c>http</c>, with a server that listens on the given address and port.</param>
    public static async Task<NginxProcess> StartAsync(Func<string, string> http)
    {
        var nginx = new NginxProcess();
        try
        {
            await nginx.BeginAsync(http);
            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync(Func<string, string> http)
    {
        var file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(
            file,
            $$"""
            daemon off;
            master_process off;
            pid {{_folder}}/nginx.pid;
            events { worker_connections 1024; }
            http {
                access_log off;
                client_body_temp_path {{_folder}}/body;
                proxy_temp_path {{_folder}}/proxy;
                fastcgi_temp_path {{_folder}}/fastcgi;
                uwsgi_temp_path {{_folder}}/uwsgi;
                scgi_temp_path {{_folder}}/scgi;
                {{http($"127.0.0.1:{_port}")}}
            }
            """
        );
        _process = ServerProcess.Start(ServerProcess.Find("nginx", "nginx"), ["-e", "stderr", "-p", _folder, "-c", file]);
        await ListeningAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task ListeningAsync()
    {
        while (true)
        {
            Assert.False(_process!.HasExited, "nginx ended: " + _process.Output);
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, _port);
                return;
            }
            catch (SocketException)
            {
                await Task.Yield();
            }
        }
    }
}
