using Dunlin.Redis.Backplane;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Redis;

/// <summary>Connects the backplane with the host. A Redis that is away at the start holds nothing up.</summary>
internal sealed class RedisConnector(RedisBackplane backplane) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => backplane.ConnectAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
