using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Hosting;

/// <summary>Lifetimes of the objects that an application gives the engine by type: policies and job handlers.</summary>
internal static class ServiceScopes
{
    /// <summary>Registers <typeparamref name="T"/> unless the application has: as scoped, so that it may take scoped services; as a
    /// singleton where its constructor takes nothing, because a scope would cost something and give nothing.</summary>
    public static void AddDefault<T>(IServiceCollection services)
        where T : class
    {
        if (typeof(T).GetConstructors().All(constructor => constructor.GetParameters().Length == 0))
            services.TryAddSingleton<T>();
        else
            services.TryAddScoped<T>();
    }

    /// <summary>Whether the container makes one object of the type. To be asked once all services are registered.</summary>
    public static bool IsSingleton<T>(IServiceCollection services) =>
        services.LastOrDefault(service => service.ServiceType == typeof(T) && !service.IsKeyedService)?.Lifetime
        == ServiceLifetime.Singleton;
}
