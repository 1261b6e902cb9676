using Dunlin.Hosting;
using Dunlin.Replicache;
using Dunlin.Replicache.Pokes;
using Dunlin.Replicache.Pull;
using Dunlin.Replicache.Push;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the Replicache endpoints.</summary>
public static class ReplicacheEndpoints
{
    /// <summary>Maps <c>push</c>, <c>pull</c>, <c>stream</c> (and its older name <c>events</c>), <c>poke-user</c> and <c>stats</c> below
    /// <paramref name="basePath"/>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="basePath">The path prefix, for example <c>/api/replicache</c>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddReplicache()</c> was not called, or two mutators have the same name.</exception>
    public static IEndpointConventionBuilder MapReplicache(this IEndpointRouteBuilder endpoints, string basePath)
    {
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(PushService)))
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddReplicache() before app.MapReplicache().");
        // Created here, so that duplicate mutator names stop the start of the host instead of failing the first push.
        endpoints.ServiceProvider.GetRequiredService<MutatorSet>();
        var group = endpoints.MapGroup(basePath).WithTags("Replicache").WithHead().WithDunlinCaller();
        group
            .MapPost("push", (HttpContext context, PushService push) => push.ServeAsync(context))
            .WithSummary("Do pending mutations, in order");
        group
            .MapPost("pull", (HttpContext context, PullService pull) => pull.ServeAsync(context))
            .WithSummary("What has changed since the cookie");
        group.MapEventStream("stream", Stream).WithSummary("connected, ping, and sync whenever there is something to pull");
        group.MapEventStream("events", Stream).WithSummary("The older name of stream");
        group
            .MapPost("poke-user", (HttpContext context, PokeEndpoints pokes) => pokes.PokeAsync(context))
            .WithSummary("Tell all of one's own streams to sync");
        group
            .MapGet("stats", (HttpContext context, PokeEndpoints pokes) => pokes.StatsAsync(context))
            .WithSummary("Own streams; all of them for administrators");
        return group;
    }

    private static Task Stream(HttpContext context) => context.RequestServices.GetRequiredService<PokeFeed>().ServeAsync(context);
}
