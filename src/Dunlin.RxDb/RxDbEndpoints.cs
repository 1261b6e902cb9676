using Dunlin.Hosting;
using Dunlin.RxDb.Hints;
using Dunlin.RxDb.Pull;
using Dunlin.RxDb.Push;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the RxDB endpoints.</summary>
public static class RxDbEndpoints
{
    /// <summary>Maps <c>GET pull/{collection}?position=&amp;limit=&amp;schema=</c> and <c>POST push/{collection}?schema=</c> below
    /// <paramref name="basePath"/>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="basePath">The path prefix, for example <c>/api/sync</c>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddRxDb()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapRxDb(this IEndpointRouteBuilder endpoints, string basePath)
    {
        Check(endpoints);
        var group = endpoints.MapGroup(basePath).WithTags("RxDB").WithHead().WithDunlinCaller();
        group
            .MapGet("pull/{collection}", (HttpContext context, string collection, PullService pull) => pull.ServeAsync(context, collection))
            .WithSummary("Documents that have changed since a position");
        group
            .MapPost(
                "push/{collection}",
                (HttpContext context, string collection, PushService push) => push.ServeAsync(context, collection)
            )
            .WithSummary("Write documents; answers with those in conflict");
        return group;
    }

    /// <summary>Maps <c>GET stream</c> and <c>GET status</c> below <paramref name="basePath"/>. The stream carries the hints of the
    /// signed-in user: <c>{collection}:updated</c>, <c>sync:access</c> and <c>sync:ping</c>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="basePath">The path prefix.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddRxDb()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapRxDbHints(this IEndpointRouteBuilder endpoints, string basePath)
    {
        Check(endpoints);
        var group = endpoints.MapGroup(basePath).WithTags("RxDB").WithHead().WithDunlinCaller();
        group
            .MapEventStream("stream", static context => context.RequestServices.GetRequiredService<HintFeed>().ServeAsync(context))
            .WithSummary("Hints that there is something to pull");
        group
            .MapGet("status", (HttpContext context, HintFeed hints) => hints.StatusAsync(context))
            .WithSummary("Own streams; all of them for administrators");
        return group;
    }

    private static void Check(IEndpointRouteBuilder endpoints)
    {
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(PushService)))
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddRxDb() before app.MapRxDb().");
    }
}
