using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;
using Dunlin.Streams;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>1,000 subscriptions in one process.</summary>
public sealed class ManySubscriptionTests
{
    private const int Count = 1_000;

    [Fact]
    public async Task A_thousand_subscriptions_over_HTTP_1_use_one_request_each()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        server.Settings["Dunlin__Streams__MaxPerUser"] = "2000";
        server.Settings["Dunlin__Streams__MaxPerAddress"] = "2000";
        await server.StartAsync();
        var connections = await RunAsync(server.Address, Mint.User("ann", ("subscribe", "**"), ("publish", "**")));
        Assert.InRange(connections, Count, Count + 10);
    }

    [Fact]
    public async Task A_thousand_subscriptions_over_HTTP_2_share_few_connections()
    {
        using var certificate = NewCertificate();
        await using var host = await DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin => dunlin.AddInMemory().AddAccessPolicy<OpenAccess>("many");
            options.Listen = kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseHttps(certificate));
            options.Services = static services =>
                services.Configure<EventStreamOptions>(static o => (o.MaxPerUser, o.MaxPerAddress) = (2 * Count, 2 * Count));
        });
        var connections = await RunAsync(new UriBuilder(host.Address) { Scheme = "https" }.Uri, token: null);
        // Kestrel allows 100 streams on a connection.
        Assert.InRange(connections, Count / 100, Count / 10);
    }

    /// <summary>Opens the subscriptions, publishes to all of them, and returns the number of connections.</summary>
    private static async Task<int> RunAsync(Uri address, string? token)
    {
        var connections = 0;
        using var sockets = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        sockets.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        sockets.ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            Interlocked.Increment(ref connections);
            return new NetworkStream(socket, ownsSocket: true);
        };
        using var counter = new RequestCounter(sockets);
        using var http = new HttpClient(counter) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Add(TestUsers.Header, "ann");
        using var client = new DunlinClient(new DunlinClientOptions { Address = address, Token = token }, http);
        await client.GetStatsAsync();
        var readers = new List<Reader>();
        try
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            for (var i = 0; i < Count; i++)
                readers.Add(Reader.Start(client, [$"many/{i}", "many/all"]));
            foreach (var reader in readers)
                await reader.WhenAsync(ConnectionStatus.Live);
            var held = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0 / Count;
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{address.Scheme}: {held:0.0} KiB for each subscription, {connections} connections"
            );
            await client.PublishAsync([OutgoingEvent.FromJson("many/all", "e", "1"), OutgoingEvent.FromJson("many/7", "e", "2")]);
            foreach (var reader in readers)
                Assert.Equal("1", (await reader.NextAsync()).GetText());
            Assert.Equal("2", (await readers[7].NextAsync()).GetText());
            Assert.Equal(Count + 2, counter.Requests);
            Assert.All(readers, static reader => Assert.Equal(1, reader.State.Stream));
            return Volatile.Read(ref connections);
        }
        finally
        {
            await Task.WhenAll(readers.Select(static reader => reader.DisposeAsync().AsTask()));
        }
    }

    private static X509Certificate2 NewCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class RequestCounter(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private int _requests;

        public int Requests => _requests;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class OpenAccess : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(result: true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(result: true);
    }
}
