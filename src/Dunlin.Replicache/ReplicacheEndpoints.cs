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

/// <summary>Maps the endpoints.</summary>
public static class ReplicacheEndpoints
{
    /// <summary>Maps <c>push</c>, <c>pull</c>, <c>stream</c> (and <c>events</c>, its older name), <c>poke-user</c> and <c>stats</c>
    /// below <paramref name="basePath"/>.</summary>
    /// <exception cref="InvalidOperationException"><c>AddReplicache()</c> is missing.</exception>
    public static IEndpointConventionBuilder MapReplicache(this IEndpointRouteBuilder endpoints, string basePath)
    {
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(PushService)))
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddReplicache() before app.MapReplicache().");
        // Made now, so that two mutators of one name stop the start and not the first push.
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
