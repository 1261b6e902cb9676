using Microsoft.Extensions.Hosting;

namespace Dunlin.Cluster;

/// <summary>Announces this node to the other nodes of a shared store at start-up, and its stop when the stop begins.</summary>
internal sealed class NodeGreeting(ClusterQuery questions, IHostApplicationLifetime lifetime) : IHostedService
{
    private IDisposable? _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        questions.Begin();
        // Not in StopAsync: the backplane may be closed by then.
        _stopping = lifetime.ApplicationStopping.Register(questions.End);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping?.Dispose();
        return Task.CompletedTask;
    }
}
