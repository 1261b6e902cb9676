using Dunlin.Hooks;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with webhooks that the server receives.</summary>
public static class HookRouting
{
    /// <summary>Maps <c>POST hooks/{name}</c> under <see cref="DunlinEndpoints.BasePath"/>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <returns>A builder for conventions of the endpoint.</returns>
    /// <exception cref="InvalidOperationException"><c>AddHooks()</c> was not called.</exception>
    /// <remarks>A signature authenticates each request. The authentication and the policies of the application have no effect on the
    /// endpoint.</remarks>
    /// <example>
    /// <code>
    /// app.MapDunlinHooks();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapDunlinHooks(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(HookEndpoint)))
            throw new InvalidOperationException("Call AddDunlin().AddHooks() before app.MapDunlinHooks().");
        return endpoints
            .MapGroup(DunlinEndpoints.BasePath)
            .WithTags("Hooks")
            .WithDunlinProblems()
            .MapPost("hooks/{name}", (HttpContext context, string name, HookEndpoint endpoint) => endpoint.ServeAsync(context, name))
            .AllowAnonymous()
            .WithSummary("A signed webhook of another system becomes an event");
    }
}
