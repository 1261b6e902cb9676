using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests;

/// <summary>The host in its own process.</summary>
internal sealed class HostProcess : DunlinProcess
{
    public HostProcess()
        : base(Path.Combine(AppContext.BaseDirectory, "Dunlin.Host.dll")) => Directory.CreateDirectory(Data);

    /// <summary>Signs in.</summary>
    /// <param name="user">A demo account.</param>
    /// <param name="through">Another address of the process, such as a proxy.</param>
    /// <param name="from">The local address of the client.</param>
    public async Task<HttpClient> SignInAsync(string user, Uri? through = null, string from = "127.0.0.1")
    {
        var client = new HttpClient(
            new SocketsHttpHandler
            {
                UseCookies = false,
                ResponseDrainTimeout = TimeSpan.Zero,
                ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, from, ct),
            }
        )
        {
            BaseAddress = through ?? Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        await client.SignInAsync(user, DemoData.Password);
        return client;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, string from, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(to, cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(5), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
