using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Topics;

/// <summary>Creates a policy in a new service scope for each check. Thread-safe.</summary>
internal sealed class ScopedAccessPolicy<TPolicy>(IServiceScopeFactory scopes) : IAccessPolicy, IPatternAccessPolicy
    where TPolicy : class, IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        AskAsync(policy => policy.MayReadAsync(caller, topic, cancellationToken));

    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        AskAsync(policy => policy.MayPublishAsync(caller, topic, cancellationToken));

    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        AskAsync(policy => policy.MayHoldAsync(caller, resource, cancellationToken));

    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        AskAsync(policy => policy.MayPreemptAsync(caller, resource, cancellationToken));

    // A policy without pattern support denies all patterns.
    public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
        AskAsync(policy =>
            policy is IPatternAccessPolicy patterns ? patterns.MayReadAllAsync(caller, pattern, cancellationToken) : new(false)
        );

    private async ValueTask<bool> AskAsync(Func<TPolicy, ValueTask<bool>> question)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await question(scope.ServiceProvider.GetRequiredService<TPolicy>());
    }
}
