using System.Net;
using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Apps.Wishlists.Sharing;
using Dunlin.Hosting;
using Dunlin.Outbound;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Apps.Wishlists;

/// <summary>Registers wishlists that work offline with RxDB, with share links and marks that the owner never sees.</summary>
public static class WishlistsApp
{
    /// <summary>Adds the collections, the services and the page reader. The system has no tables; all data is records.</summary>
    public static DunlinBuilder AddWishlists(this DunlinBuilder builder)
    {
        WishlistCollections.Add(builder.AddRxDb());
        builder.AddJobHandler<ResolveHandler, ResolveOrder>(ResolveQueue.JobType, ResolveQueue.Configure);
        var services = builder.Services;
        services.AddOptions<FetchOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<WishlistOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<OutboundLookup>(static (host, cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken));
        services.AddSingleton<PageFetcher>();
        services.AddSingleton<PageReader>();
        services.AddSingleton<WishlistService>();
        return builder;
    }

    /// <summary>
    /// Maps <c>/api/v1/sync</c>, <c>/api/v1/events</c>, <c>/api/v1/wishlists</c>, <c>/api/v1/items</c> and <c>/api/v1/share</c>.
    /// </summary>
    public static void MapWishlists(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapRxDb("/api/v1/sync");
        endpoints.MapRxDbHints("/api/v1/events");
        WishlistEndpoints.Map(endpoints);
        ItemEndpoints.Map(endpoints);
        ShareEndpoints.Map(endpoints);
    }
}
