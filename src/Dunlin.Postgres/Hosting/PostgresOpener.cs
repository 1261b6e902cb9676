using Microsoft.Extensions.Hosting;

namespace Dunlin.Postgres.Hosting;

/// <summary>Opens the store before any hosted service starts, so that a bad database stops the host at once. It is closed
/// when the host disposes its services, after all of them have stopped.</summary>
internal sealed class PostgresOpener(PostgresStore store) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => store.OpenAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
