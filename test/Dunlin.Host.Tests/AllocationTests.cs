using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Text;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Publishing;
using Dunlin.Streams;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Host.Tests;

/// <summary>
/// Measures allocations, which do not depend on the machine's load: bytes per delivery, per publish and per idle connection, with real
/// Kestrel, a real SQLite file and sockets that allocate nothing. The limits are slightly above measured values; exceeding one means a new
/// allocation on a hot path.
/// </summary>
[Collection(nameof(AloneInProcess))]
public sealed class AllocationTests
{
    private const int Connections = 501;
    private const int Batch = 100;
    private const int Events = 200;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deliveries_publishes_and_idle_connections_stay_within_limits(bool webSocket)
    {
        await using var server = await Server.StartAsync();
        using var publisher = new Wire(server.Address);
        var readers = new List<Wire>();
        try
        {
            // Compile everything and fill the pools before measuring.
            readers.Add(server.Subscribe(webSocket));
            Publish(publisher, readers, 300);
            var publish = Allocated(() => Publish(publisher, readers, Events)) / Events;
            // The median of several batches, because the process's pools grow and shrink independently of connections.
            var batches = new List<long>();
            while (readers.Count < Connections)
            {
                var before = Held();
                for (var i = 0; i < Batch; i++)
                    readers.Add(server.Subscribe(webSocket));
                batches.Add((Held() - before) / Batch);
            }
            var held = batches.Order().ElementAt(batches.Count / 2);
            Publish(publisher, readers, 50);
            var delivery = ((double)Allocated(() => Publish(publisher, readers, Events)) / Events - publish) / (Connections - 1);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{publish} bytes allocated for each publish, {delivery:0.0} for each delivery; {held} held for each connection, the test's socket with it"
            );
            Assert.InRange(publish, 1, 3_700);
            Assert.InRange(delivery, -8, 8);
            Assert.InRange(held, 1, 3_500);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    [Fact]
    public async Task A_waiting_long_poll_stays_within_its_memory_limit()
    {
        await using var server = await Server.StartAsync();
        using var publisher = new Wire(server.Address);
        publisher.Publish();
        var polls = new List<Wire>();
        try
        {
            var batches = new List<long>();
            for (var batch = 0; batch < 6; batch++)
            {
                var before = Held();
                for (var i = 0; i < Batch; i++)
                    polls.Add(server.Poll());
                batches.Add((Held() - before) / Batch);
            }
            // The first batch fills the pools of the process.
            var held = batches.Skip(1).Order().ElementAt(2);
            TestContext.Current.TestOutputHelper?.WriteLine($"{held} bytes held for each waiting poll, the test's socket with it");
            Assert.InRange(held, 1, 4_600);
            publisher.Publish();
            foreach (var poll in polls)
                poll.ReadAnswer();
        }
        finally
        {
            polls.ForEach(static poll => poll.Dispose());
        }
    }

    private static long Held()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static long Allocated(Action action)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        action();
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    private static void Publish(Wire publisher, List<Wire> readers, int events)
    {
        for (var i = 0; i < events; i++)
        {
            publisher.Publish();
            // In lockstep, so that nothing is queued. Slow readers cost memory and have their own test.
            foreach (var reader in readers)
                reader.ReadUntil(publisher.Published);
        }
    }

    /// <summary>A connection that sends prepared HTTP/1.1 bytes.</summary>
    private sealed class Wire : IDisposable
    {
        private static readonly byte[] Body = Encoding.ASCII.GetBytes($$"""{"topic":"t","type":"m","data":"{{new string('x', 200)}}"}""");
        private static readonly byte[] Request =
        [
            .. Encoding.ASCII.GetBytes(
                $"POST /dunlin/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n"
            ),
            .. Body,
        ];

        private static readonly byte[] Upgrade =
        [
            .. "GET /dunlin/v1/events?topic=t HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"u8,
            .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: dunlin.v1\r\n\r\n"u8,
        ];

        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        private static readonly byte[] _buffer = new byte[4_096];
        private byte _last;

        public Wire(Uri server) => _socket.Connect(server.Host, server.Port);

        public int Published { get; private set; }

        private int Received { get; set; }

        public void Subscribe(bool webSocket)
        {
            if (webSocket)
                _socket.Send(Upgrade);
            else
                _socket.Send("GET /dunlin/v1/events?topic=t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"u8);
            // The first bytes of the body contain the hello.
            var text = "";
            while (
                !text.Contains("dunlin.hello", StringComparison.Ordinal)
                || !text.EndsWith(webSocket ? "}\n\n" : "\n\n\r\n", StringComparison.Ordinal)
            )
                text += Encoding.ASCII.GetString(_buffer, 0, _socket.Receive(_buffer));
        }

        public void Poll(Position from) =>
            _socket.Send(Encoding.ASCII.GetBytes($"GET /dunlin/v1/events?topic=t&wait=25&lastEventId={from} HTTP/1.1\r\nHost: x\r\n\r\n"));

        public void ReadAnswer()
        {
            var text = "";
            while (!text.Contains("event: m\n", StringComparison.Ordinal))
                text += Encoding.ASCII.GetString(_buffer, 0, _socket.Receive(_buffer));
        }

        public void Publish()
        {
            _socket.Send(Request);
            var length = _socket.Receive(_buffer);
            Assert.True(_buffer.AsSpan(0, length).StartsWith("HTTP/1.1 20"u8));
            Published++;
        }

        /// <summary>Reads this number of events. Each ends with an empty line, and nothing else does.</summary>
        public void ReadUntil(int events)
        {
            while (Received < events)
            {
                foreach (var letter in _buffer.AsSpan(0, _socket.Receive(_buffer)))
                {
                    if (letter == '\n' && _last == '\n')
                        Received++;
                    _last = letter;
                }
            }
        }

        /// <summary>A later reader did not receive the first events.</summary>
        public void StartAt(int events) => Received = events;

        public void Dispose() => _socket.Dispose();
    }

    private sealed class Server(WebApplication app, string folder) : IAsyncDisposable
    {
        public Uri Address { get; private set; } = null!;

        public static async Task<Server> StartAsync()
        {
            var folder = Directory.CreateTempSubdirectory("dunlin-allocation-").FullName;
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseDirectTransport().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            builder.Services.AddHealthChecks().AddDunlin();
            builder.Services.AddDunlin().AddAccessPolicy<Everything>("").AddSqlite(Path.Combine(folder, "journal.db"));
            builder.Services.Configure<EventStreamOptions>(o => (o.MaxPerUser, o.MaxPerAddress) = (10_000, 10_000));
            builder.Services.Configure<PublishOptions>(o => (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (0, 0, 0));
            builder.Services.Configure<HostingOptions>(o => o.DrainWindow = TimeSpan.Zero);
            var app = builder.Build();
            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ann"), new Claim("name", "Ann")], "test"));
            app.Use(
                (context, next) =>
                {
                    context.User = user;
                    return next(context);
                }
            );
            app.MapDunlin();
            app.MapDunlinHealth();
            await app.StartAsync();
            return new Server(app, folder)
            {
                Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
            };
        }

        public Wire Subscribe(bool webSocket)
        {
            var wire = new Wire(Address);
            wire.Subscribe(webSocket);
            wire.StartAt((int)app.Services.GetRequiredService<EventFanout>().DeliveredHead.Offset);
            return wire;
        }

        /// <summary>Sends a long poll and returns when the server waits for events of it.</summary>
        public Wire Poll()
        {
            var fanout = app.Services.GetRequiredService<EventFanout>();
            var others = fanout.ConnectionCount;
            var wire = new Wire(Address);
            wire.Poll(fanout.DeliveredHead);
            Assert.True(
                SpinWait.SpinUntil(
                    () => fanout.ConnectionCount > others && fanout.All().All(static c => c.State == EventStreamState.Live),
                    TimeSpan.FromSeconds(30)
                )
            );
            return wire;
        }

        public async ValueTask DisposeAsync()
        {
            await app.StopAsync();
            await app.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class Everything : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(true);
    }
}

/// <summary>Tests that measure the whole process.</summary>
[CollectionDefinition(nameof(AloneInProcess), DisableParallelization = true)]
public sealed class AloneInProcess;
