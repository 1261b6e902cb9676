using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Consumers;

/// <summary>Creates a consumer in a new service scope for each batch and each gap. Thread-safe.</summary>
internal sealed class ScopedEventConsumer<TConsumer>(IServiceScopeFactory scopes) : IEventConsumer
    where TConsumer : class, IEventConsumer
{
    public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<TConsumer>().ConsumeAsync(batch, cancellationToken);
    }

    public async ValueTask OnGapAsync(EventGap gap, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<TConsumer>().OnGapAsync(gap, cancellationToken);
    }
}
