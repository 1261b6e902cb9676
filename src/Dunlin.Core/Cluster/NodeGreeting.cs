using Microsoft.Extensions.Hosting;

namespace Dunlin.Cluster;

/// <summary>Lets the other nodes of a shared store know of this one while it serves, and of its going when that begins.</summary>
internal sealed class NodeGreeting(ClusterQuery questions, IHostApplicationLifetime lifetime) : IHostedService
{
    private IDisposable? _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        questions.Begin();
        // Not in StopAsync: by then the way to the others may be closed.
        _stopping = lifetime.ApplicationStopping.Register(questions.End);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping?.Dispose();
        return Task.CompletedTask;
    }
}
