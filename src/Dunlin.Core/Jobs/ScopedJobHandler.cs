using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Jobs;

/// <summary>
/// Gives each attempt, and each failure, a handler of its own, made in a scope that ends with it. Safe for concurrent use.
/// </summary>
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
