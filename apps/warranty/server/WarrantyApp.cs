using Dunlin.Apps.Warranty.Cases;
using Dunlin.Apps.Warranty.Locks;
using Dunlin.Apps.Warranty.Search;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Streams;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Warranty;

/// <summary>Registers the warranty table: cases of several branches, edited concurrently with one lock per field.</summary>
public static class WarrantyApp
{
    /// <summary>Adds tables, access policies, lock announcements and services.</summary>
    public static DunlinBuilder AddWarranty(this DunlinBuilder builder)
    {
        builder.AddSchema("warranty", typeof(WarrantyApp).Assembly, "Dunlin.Apps.Warranty.Schema.");
        builder.AddAccessPolicy<WarrantyAccess>(WarrantyNames.Root);
        builder.AddLeaseAnnouncer<WarrantyLocks>(WarrantyNames.Root);
        builder.Services.Configure<RetentionOptions>(options =>
            options.Prefixes[WarrantyNames.Root] = new RetentionRule { MaxAge = TimeSpan.FromDays(2), MaxCount = 50_000 }
        );
        builder.Services.AddSingleton<CaseService>();
        builder.Services.AddHostedService<CaseSearch>();
        builder.Services.AddSingleton<WarrantyStream>();
        builder.Services.AddSingleton<LockEndpoints>();
        return builder;
    }

    /// <summary>Maps <c>/api/warranty</c> and <c>/api/sse/warranty-updates</c>.</summary>
    public static void MapWarranty(this IEndpointRouteBuilder endpoints)
    {
        CaseEndpoints.Map(endpoints);
        LockEndpoints.Map(endpoints);
        endpoints.MapEventStream(
            "/api/sse/warranty-updates",
            http => http.RequestServices.GetRequiredService<WarrantyStream>().ServeAsync(http)
        );
    }
}
