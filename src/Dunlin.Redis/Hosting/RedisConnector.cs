using Dunlin.Redis.Backplane;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Redis;

/// <summary>Connects the backplane at the start of the host. An unreachable Redis does not delay the start.</summary>
internal sealed class RedisConnector(RedisBackplane backplane) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => backplane.ConnectAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
