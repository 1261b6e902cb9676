using System.Globalization;
using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>Kills the server and cuts lines while events are published. DUNLIN_KILLS sets the number of kills; default 5.</summary>
public sealed class FaultTests
{
    private const int Publishers = 3;

    private static readonly int Kills = int.TryParse(
        Environment.GetEnvironmentVariable("DUNLIN_KILLS"),
        CultureInfo.InvariantCulture,
        out var kills
    )
        ? kills
        : 5;

    [Fact]
    public async Task G2_Reader_has_each_event_once_in_order_after_kills_and_cuts()
    {
        var random = TestSeed.NewRandom(out _);
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await server.StartAsync();
        await using var proxy = new TcpProxy(server.Port);
        var token = Mint.User("ann", ("subscribe", "**"), ("publish", "**"));
        using var reading = NewClient(proxy, token);
        using var publishing = NewClient(proxy, token);
        var history = new History();
        await using var reader = Reader.Start(reading, ["load/*"], onItem: history.Receive);
        await reader.WhenAsync(ConnectionStatus.Live);
        var faulty = true;
        var loads = Enumerable
            .Range(0, Publishers)
            .Select(p =>
                Task.Run(async () =>
                {
                    for (var round = 0; Volatile.Read(ref faulty); round++)
                        await history.PublishAsync(publishing, "load/1", (p * 1_000_000) + round, 5);
                })
            )
            .ToList();
        var (cuts, done) = (0, 0);
        while (done < Kills)
        {
            // A fault counts only if it meets a running load and an open stream.
            var before = history.Received;
            await Wait.UntilAsync(
                () => history.Received > before + random.Next(20),
                () => $"No progress after {cuts} cuts and {done} kills."
            );
            var stream = reader.State.Stream;
            switch (random.Next(3))
            {
                case 0:
                    proxy.OnRequest = CutOnce(proxy);
                    break;
                case 1:
                    proxy.Cut();
                    await reader.WhenAsync(state => state.Status == ConnectionStatus.Live && state.Stream > stream);
                    cuts++;
                    break;
                default:
                    await server.KillAsync();
                    await server.StartAsync();
                    await reader.WhenAsync(state => state.Status == ConnectionStatus.Live && state.Stream > stream);
                    done++;
                    break;
            }
        }
        Volatile.Write(ref faulty, false);
        await Task.WhenAll(loads).WithinLimit();
        await history.CheckAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Kills} kills, {cuts} cuts, {history.Acknowledged} events, {reader.States.Count(s => s.Status == ConnectionStatus.Live)} streams"
        );
    }

    [Fact]
    public async Task Renewed_revocation_fetches_a_new_token_and_loses_nothing()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await server.StartAsync();
        var fetched = 0;
        using var client = new DunlinClient(
            new DunlinClientOptions
            {
                Address = server.Address,
                GetToken = _ =>
                {
                    fetched++;
                    // The revocation refuses tokens that were issued in its second or before.
                    var claims = Mint.Claims("ann", [("subscribe", "**"), ("publish", "**")], ("iat", Now() + (fetched > 1 ? 20 : 0)));
                    return new ValueTask<string?>(Mint.Sign(Mint.Key, claims));
                },
            }
        );
        using var admin = new DunlinClient(new DunlinClientOptions { Address = server.Address, Token = Mint.Backend() });
        await using var reader = Reader.Start(client, ["a"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        await admin.PublishAsync(OutgoingEvent.FromJson("a", "e", "1"));
        Assert.Equal("1", (await reader.NextAsync()).GetText());
        await admin.RevokeAsync(new UserRevocation("ann") { Renew = true });
        await reader.WhenAsync(state => state.Stream == 2);
        await admin.PublishAsync(OutgoingEvent.FromJson("a", "e", "2"));
        Assert.Equal("2", (await reader.NextAsync()).GetText());
        Assert.Equal(2, fetched);
    }

    [Fact]
    public async Task Expired_token_is_renewed_before_the_first_request_fails()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await server.StartAsync();
        var tokens = new Queue<string>([
            Mint.Sign(Mint.Key, Mint.Claims("ann", [("publish", "**")], ("iat", Now() - 900), ("exp", Now() - 300))),
            Mint.User("ann", ("publish", "**")),
        ]);
        using var client = new DunlinClient(
            new DunlinClientOptions { Address = server.Address, GetToken = _ => new ValueTask<string?>(tokens.Dequeue()) }
        );
        var result = await client.PublishAsync(OutgoingEvent.FromJson("a", "e", "1"));
        Assert.Single(result.Positions);
        Assert.Empty(tokens);
    }

    [Fact]
    public async Task Server_that_is_down_at_the_start_is_awaited()
    {
        await using var server = new ServerProgram();
        server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await server.StartAsync();
        await server.KillAsync();
        using var client = new DunlinClient(
            new DunlinClientOptions { Address = server.Address, Token = Mint.User("ann", ("subscribe", "**")) }
        );
        await using var reader = Reader.Start(client, ["a"]);
        await reader.WhenAsync(ConnectionStatus.Waiting);
        await server.StartAsync();
        await reader.WhenAsync(ConnectionStatus.Live);
        Assert.False(reader.Ended.IsCompleted);
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static DunlinClient NewClient(TcpProxy proxy, string token) =>
        new(
            new DunlinClientOptions
            {
                Address = new Uri($"http://127.0.0.1:{proxy.Port}"),
                Token = token,
                // Short delays: the test waits for many reconnects.
                NextRandom = static () => 0.01,
            }
        );

    private static Func<ReadOnlyMemory<byte>, ProxyAction> CutOnce(TcpProxy proxy) =>
        _ =>
        {
            proxy.OnRequest = null;
            return ProxyAction.CutAtAnswer;
        };
}
