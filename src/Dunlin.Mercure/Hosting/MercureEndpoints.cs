using Dunlin.Mercure;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Discovery;
using Dunlin.Mercure.Publishing;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with a Mercure hub.</summary>
public static class MercureEndpoints
{
    /// <summary>The default path of the hub.</summary>
    public const string DefaultPath = "/.well-known/mercure";

    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps the hub, its subscription API and its metadata.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">The path of the hub in this application. Default: <see cref="DefaultPath"/>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddMercure()</c> was not called.</exception>
    /// <remarks>The hub authenticates by its own tokens. The authentication and the policies of the application have no effect on
    /// it.</remarks>
    /// <example>
    /// <code>
    /// app.MapMercure();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapMercure(this IEndpointRouteBuilder endpoints, string path = DefaultPath)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<MercureHub>() is not { } hub)
            throw new InvalidOperationException("Call AddDunlin().AddMercure() before app.MapMercure().");
        var group = endpoints.MapGroup("").WithMetadata(WritesOwnProblems.Instance).ExcludeFromDescription();
        // The hub has its own list of origins. ASP.NET Core refuses the mark if no CORS middleware runs.
        if (endpoints.ServiceProvider.GetRequiredService<IOptions<OriginOptions>>().Value.AllowedOrigins.Count > 0)
            group.WithMetadata(new DisableCorsAttribute());
        var cors = endpoints.ServiceProvider.GetRequiredService<MercureCors>();
        Map<SubscribeEndpoint>(group, path, [.. Read, SubscribeEndpoint.QueryMethod], static (one, context) => one.ServeAsync(context));
        Map<PublishEndpoint>(group, path, [HttpMethods.Post], static (one, context) => one.ServeAsync(context));
        Map<SubscriptionApi>(group, path + "/subscriptions", Read, static (one, context) => one.ServeAsync(context));
        Map<SubscriptionApi>(group, path + "/subscriptions/{**rest}", Read, static (one, context) => one.ServeAsync(context));
        if (hub.Speaks(MercureDialects.Version1))
            Map<MetadataEndpoint>(group, hub.MetadataPath, Read, static (one, context) => one.ServeAsync(context));
        foreach (var pattern in (string[])[path, path + "/{**rest}", hub.MetadataPath])
            group.MapMethods(pattern, [HttpMethods.Options], Guard(cors.ServePreflightAsync));
        return group;
    }

    private static void Map<T>(RouteGroupBuilder group, string pattern, string[] methods, Func<T, HttpContext, Task> serve)
        where T : notnull =>
        group.MapMethods(pattern, methods, Guard(context => serve(context.RequestServices.GetRequiredService<T>(), context)));

    private static RequestDelegate Guard(Func<HttpContext, Task> serve) =>
        async context =>
        {
            context.RequestServices.GetRequiredService<MercureCors>().Apply(context);
            try
            {
                await serve(context);
            }
            catch (AccessRefusedException refusal)
            {
                await context.RequestServices.GetRequiredService<RequestAccess>().RefuseAsync(context, refusal);
            }
#pragma warning disable CA1031 // any exception becomes a problem response
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (!context.RequestAborted.IsCancellationRequested)
                    await Problem.WriteAsync(context, exception);
            }
        };
}
