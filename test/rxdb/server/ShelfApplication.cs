using System.Security.Claims;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Security;
using Dunlin.Topics;

namespace Dunlin.RxDb.TestHost;

/// <summary>
/// The smallest application that replicates with RxDB, with endpoints for tests to act besides the clients. The bearer token names the
/// caller; a token that begins with "stale" is refused.
/// </summary>
public static class ShelfApplication
{
    public const string Sync = "/api/v1/sync";
    public const string Events = "/api/v1/events";

    public static DunlinBuilder AddShelves(this IServiceCollection services, Action<RxDbOptions>? configure = null)
    {
        services.AddHealthChecks().AddDunlin();
        var dunlin = services.AddDunlin();
        dunlin.AddRxDb(configure).AddCollection(ShelfCollections.Shelves).AddCollection(ShelfCollections.Things);
        return dunlin;
    }

    public static WebApplication UseShelves(this WebApplication app)
    {
        app.UseDunlinProblems();
        app.Use(
            static (context, next) =>
            {
                if (
                    (string?)context.Request.Headers.Authorization is { } bearer
                    && bearer.StartsWith("Bearer ", StringComparison.Ordinal)
                    && !bearer.StartsWith("Bearer stale", StringComparison.Ordinal)
                )
                    context.User = Principal(bearer["Bearer ".Length..]);
                return next(context);
            }
        );
        app.MapDunlin();
        app.MapDunlinHealth();
        app.MapRxDb(Sync);
        app.MapRxDbHints(Events);
        MapBeside(app);
        return app;
    }

    // Endpoints for actions that a real application offers itself.
    private static void MapBeside(WebApplication app)
    {
        app.MapPost(
            "/beside/share",
            (ShareCall call, IStore store, RxDocuments documents) =>
                store
                    .WriteAsync(
                        async (unit, ct) =>
                        {
                            var records = unit.Records();
                            if (call.Take)
                                await records.RevokeAsync(ShelfCollections.Space(call.Shelf), call.User, ct);
                            else
                                await records.GrantAsync(ShelfCollections.Space(call.Shelf), call.User, ct);
                            await documents.AnnounceAsync(unit, records, cancellationToken: ct);
                        }
                    )
                    .AsTask()
        );
        app.MapPost(
            "/beside/fill",
            (FillCall call, IStore store, RxDocuments documents) =>
                store
                    .WriteAsync(
                        async (unit, ct) =>
                        {
                            var records = unit.Records();
                            for (var i = 0; i < call.Count; i++)
                            {
                                var id = $"{call.Prefix}{i}";
                                var thing = new JsonObject
                                {
                                    ["id"] = id,
                                    ["shelf"] = call.Shelf,
                                    ["text"] = $"Thing {i}",
                                    ["rev"] = 1,
                                    ["by"] = "server",
                                };
                                await records.PutAsync(
                                    ShelfCollections.Space(call.Shelf),
                                    documents.KeyOf("things", id),
                                    thing,
                                    i % 2 == 1 ? call.Audience : null,
                                    ct
                                );
                            }
                            await documents.AnnounceAsync(unit, records, cancellationToken: ct);
                        }
                    )
                    .AsTask()
        );
        app.MapPost(
            "/beside/lease",
            (LeaseCall call, LeaseService leases) =>
                leases
                    .AcquireAsync(
                        new LeaseRequest(
                            ResourceName.Of("things", call.Thing),
                            call.LeaseId,
                            new LeaseOwner(call.User, call.User, null, null, null),
                            LeaseDuration.FromSeconds(60)
                        )
                    )
                    .AsTask()
        );
        app.MapDelete(
            "/beside/lease",
            (string thing, string leaseId, string user, LeaseService leases) =>
                leases.ReleaseAsync(new LeaseClaim(ResourceName.Of("things", thing), leaseId, user)).AsTask()
        );
        app.MapPost(
            "/beside/forget",
            (IStore store) => store.WriteAsync((unit, ct) => unit.RecordTables().Records.ForgetAsync(unit.Now.AddDays(1), ct)).AsTask()
        );
        app.MapGet(
            "/beside/truth/{collection}",
            async (HttpContext context, string collection, IStore store) =>
            {
                var prefix = collection == "things" ? ShelfCollections.Things.KeyPrefix : ShelfCollections.Shelves.KeyPrefix;
                var page = await store.ReadAsync(
                    (scope, ct) => scope.Records(context.RequireCaller().UserId).ReadPageAsync(0, prefix, int.MaxValue, ct)
                );
                return new JsonArray([.. page.Changes.Select(change => JsonNode.Parse(change.Value.Span))]);
            }
        );
    }

    private static ClaimsPrincipal Principal(string user)
    {
        var claims = new List<Claim> { new("sub", user), new("name", user) };
        if (user == "admin")
            claims.Add(new Claim("roles", "admin"));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
    }

    public sealed record ShareCall(string Shelf, string User, bool Take = false);

    public sealed record FillCall(string Shelf, string Prefix, int Count, string? Audience = null);

    public sealed record LeaseCall(string Thing, string LeaseId, string User);
}
