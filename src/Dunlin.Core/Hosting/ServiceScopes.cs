using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Hosting;

/// <summary>Determines the lifetime of policies and job handlers that the application adds by type.</summary>
internal static class ServiceScopes
{
    /// <summary>
    /// Registers <typeparamref name="T"/> unless it is registered: as a singleton if its constructor has no parameters, otherwise as
    /// scoped.
    /// </summary>
    /// <remarks>A scope lets the type use scoped services. Without constructor parameters, a scope would only cost time.</remarks>
    public static void AddDefault<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        IServiceCollection services
    )
        where T : class
    {
        if (typeof(T).GetConstructors().All(constructor => constructor.GetParameters().Length == 0))
            services.TryAddSingleton<T>();
        else
            services.TryAddScoped<T>();
    }

    /// <summary>Returns whether the container creates a single instance of the type. Call it after all services are registered.</summary>
    public static bool IsSingleton<T>(IServiceCollection services) =>
        services.LastOrDefault(service => service.ServiceType == typeof(T) && !service.IsKeyedService)?.Lifetime
        == ServiceLifetime.Singleton;
}
