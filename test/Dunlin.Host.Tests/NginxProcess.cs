using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests;

/// <summary>A real nginx with <c>deploy/nginx.conf</c>, changed only in its ports.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-nginx-").FullName;
    private ServerProcess? _process;

    public Uri Address { get; private set; } = null!;

    /// <param name="nodes">The ports of the nodes.</param>
    public static async Task<NginxProcess> StartAsync(params int[] nodes)
    {
        var nginx = new NginxProcess();
        await nginx.BeginAsync(nodes);
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync(int[] nodes)
    {
        var port = ServerProcess.FreePort();
        Address = new Uri($"http://127.0.0.1:{port}");
        var deployed = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "nginx.conf"));
        var servers = string.Join(
            "\n    ",
            nodes.Select(node => string.Create(CultureInfo.InvariantCulture, $"server 127.0.0.1:{node} max_fails=1 fail_timeout=5s;"))
        );
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "dunlin.conf"),
            Replace(
                Replace(deployed, "listen 80;", $"listen 127.0.0.1:{port};"),
                "server 127.0.0.1:5080 max_fails=1 fail_timeout=5s;",
                servers
            )
        );
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "nginx.conf"),
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
                include {{_folder}}/dunlin.conf;
            }
            """
        );
        _process = ServerProcess.Start(
            ServerProcess.Find("nginx", "nginx"),
            ["-e", "stderr", "-p", _folder, "-c", Path.Combine(_folder, "nginx.conf")]
        );
        await ListeningAsync(port).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task ListeningAsync(int port)
    {
        while (true)
        {
            Assert.False(_process!.HasExited, "nginx ended: " + _process.Output);
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                await Task.Yield();
            }
        }
    }

    private static string Replace(string text, string old, string with)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, with, StringComparison.Ordinal);
    }
}
