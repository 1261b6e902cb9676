using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>Two servers on one PostgreSQL, between which a reader moves.</summary>
public sealed class TwoNodeTests
{
    private const int Moves = 10;

    [Fact]
    public async Task G6_Reader_that_moves_between_nodes_has_each_event_once()
    {
        var random = TestSeed.NewRandom(out _);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = await StartAsync(postgres);
        await using var second = await StartAsync(postgres);
        await using var toFirst = new TcpProxy(first.Port);
        await using var toSecond = new TcpProxy(second.Port);
        TcpProxy[] nodes = [toFirst, toSecond];
        var token = Mint.User("ann", ("subscribe", "**"), ("publish", "**"));
        using var balancer = new NodeSwitch(new SocketsHttpHandler()) { Port = toFirst.Port };
        using var reading = NewClient(new HttpClient(balancer), first.Address, token);
        using var here = NewClient(new HttpClient(), first.Address, token);
        using var there = NewClient(new HttpClient(), second.Address, token);
        var history = new History();
        await using var reader = Reader.Start(reading, ["load/*"], onItem: history.Receive);
        await reader.WhenAsync(ConnectionStatus.Live);
        var isMoving = true;
        async Task LoadAsync(DunlinClient client, int publisher)
        {
            for (var round = 0; Volatile.Read(ref isMoving); round++)
                await history.PublishAsync(client, "load/1", publisher + round, 5);
        }
        var loads = Task.WhenAll(Task.Run(() => LoadAsync(here, 0)), Task.Run(() => LoadAsync(there, 1_000_000)));
        for (var move = 1; move <= Moves; move++)
        {
            var (before, streams) = (history.Received, reader.State.Stream);
            await Wait.UntilAsync(() => history.Received > before + random.Next(10), () => $"No event after move {move}: {reader.State}");
            balancer.Port = nodes[move % 2].Port;
            nodes[(move + 1) % 2].Cut();
            await reader.WhenAsync(state => state.Status == ConnectionStatus.Live && state.Stream > streams);
        }
        Volatile.Write(ref isMoving, false);
        await loads.WithinLimit();
        await history.CheckAsync();
        Assert.True(balancer.Requests > Moves, $"{balancer.Requests} requests");
    }

    private static async Task<ServerProgram> StartAsync(PostgresServer postgres)
    {
        var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        server.Settings["Dunlin__Store"] = postgres.ConnectionString;
        await server.StartAsync();
        return server;
    }

    private static DunlinClient NewClient(HttpClient http, Uri address, string token) =>
        new(
            new DunlinClientOptions
            {
                Address = address,
                Token = token,
                NextRandom = static () => 0.05,
            },
            http
        );

    /// <summary>Sends each request to the current node, as a load balancer does.</summary>
    private sealed class NodeSwitch(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private int _requests;

        public int Port { get; set; }

        public int Requests => _requests;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            request.RequestUri = new UriBuilder(request.RequestUri!) { Port = Port }.Uri;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
