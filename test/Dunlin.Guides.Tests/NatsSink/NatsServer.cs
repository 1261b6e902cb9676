using System.Globalization;
using Dunlin.TestKit.Servers;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace Dunlin.Guides.Tests.NatsSink;

/// <summary>A private NATS server with JetStream in a temporary folder, on a free port of 127.0.0.1. A kill keeps its data. Not
/// thread-safe.</summary>
public sealed class NatsServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-nats-");
    private readonly int _port = ServerProcess.FreePort();
    private ServerProcess? _process;

    public string Url => string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{_port}");

    public static async Task<NatsServer> StartNewAsync()
    {
        var server = new NatsServer();
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        var program = ServerProcess.Find("nats-server", "nats-server", "/usr/sbin");
        var port = _port.ToString(CultureInfo.InvariantCulture);
        _process = ServerProcess.Start(program, ["-a", "127.0.0.1", "-p", port, "-js", "-sd", _folder.FullName], _folder.FullName);
        await _process.WhenSeenAsync("Server is ready");
    }

    public async Task KillAsync()
    {
        if (_process is { } process)
            await process.DisposeAsync();
        _process = null;
    }

    /// <summary>Waits until the stream has a number of messages, and returns their ids and data in the order of the stream.</summary>
    public async Task<List<(string Id, string Data)>> MessagesAsync(string stream, int count, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        cancellationToken = linked.Token;
        await using var connection = new NatsConnection(new NatsOpts { Url = Url });
        var jetStream = new NatsJSContext(connection);
        while (await CountAsync(jetStream, stream, cancellationToken) < count)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        var total = await CountAsync(jetStream, stream, cancellationToken);
        var messages = new List<(string, string)>();
        var consumer = await jetStream.CreateOrderedConsumerAsync(stream, cancellationToken: cancellationToken);
        await foreach (var message in consumer.ConsumeAsync<string>(cancellationToken: cancellationToken))
        {
            messages.Add((message.Headers!["Nats-Msg-Id"].ToString(), message.Data!));
            if (messages.Count == total)
                break;
        }
        return messages;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(recursive: true);
    }

    // The sink creates the stream.
    private static async Task<long> CountAsync(NatsJSContext jetStream, string stream, CancellationToken cancellationToken)
    {
        try
        {
            var found = await jetStream.GetStreamAsync(stream, cancellationToken: cancellationToken);
            return Convert.ToInt64(found.Info.State.Messages, CultureInfo.InvariantCulture);
        }
        catch (NatsJSApiException error) when (error.Error.Code == 404)
        {
            return 0;
        }
    }
}
