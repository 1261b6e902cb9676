using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Jobs;

/// <summary>Creates a handler in a new service scope for each attempt and each failure. Thread-safe.</summary>
internal sealed class ScopedJobHandler<THandler, T>(IServiceScopeFactory scopes) : IJobHandler<T>
    where THandler : class, IJobHandler<T>
{
    public async ValueTask RunAsync(JobRun<T> run, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<THandler>().RunAsync(run, cancellationToken);
    }

    public async ValueTask OnFailedAsync(JobFailure<T> failure, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<THandler>().OnFailedAsync(failure, cancellationToken);
    }
}
