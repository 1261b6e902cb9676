using Dunlin.Access;
using Dunlin.Hosting;
using Dunlin.Leases;
using Dunlin.Presence;
using Dunlin.Publishing;
using Dunlin.Security;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the endpoints of the engine.</summary>
public static class DunlinEndpoints
{
    /// <summary>The path prefix of the engine's endpoints.</summary>
    public const string BasePath = "/dunlin/v1";

    /// <summary>Maps the engine's endpoints under <see cref="BasePath"/>. <see cref="DunlinHealthEndpoints.MapDunlinHealth"/> maps the
    /// health checks.</summary>
    /// <returns>A builder for conventions that apply to all these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddDunlin()</c> was not called, or no back end was added.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db");
    /// var app = builder.Build();
    /// app.MapDunlin();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapDunlin(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>();
        if (!services.IsService(typeof(EventStreams)))
            throw new InvalidOperationException("Call builder.Services.AddDunlin() before app.MapDunlin().");
        if (!services.IsService(typeof(Dunlin.Journal.IJournal)))
            throw new InvalidOperationException("Add a back end: builder.Services.AddDunlin().AddSqlite(\"data/dunlin.db\").");

        var group = endpoints.MapGroup(BasePath).WithTags("Dunlin").WithHead().WithDunlinCaller();
        group
            .MapEventStream(
                "events",
                static context =>
                    EventStreamEndpoint.ServeAsync(
                        context,
                        context.RequestServices.GetRequiredService<EventStreams>(),
                        context.RequestServices.GetRequiredService<IOptions<EventStreamOptions>>()
                    )
            )
            .WithSummary("The event stream")
            .WithDescription("topic (1 to 64 times), device, lastEventId; answers text/event-stream.");
        group
            .MapEventStream(
                "events/subscribe",
                [HttpMethods.Post],
                static context =>
                    EventStreamEndpoint.SubscribeAsync(
                        context,
                        context.RequestServices.GetRequiredService<EventStreams>(),
                        context.RequestServices.GetRequiredService<IOptions<EventStreamOptions>>()
                    )
            )
            .WithSummary("The event stream, for more topics than an address holds")
            .WithDescription("The parameters of GET events, in the query or in a form; answers text/event-stream.");
        group
            .MapPost("streams", static context => context.RequestServices.GetRequiredService<CombinedStreams>().OpenAsync(context))
            .WithSummary("Several event streams of this application in one response");
        group
            .MapPost(
                "streams/{id}",
                static (HttpContext context, string id) =>
                    context.RequestServices.GetRequiredService<CombinedStreams>().ChangeAsync(context, id)
            )
            .WithSummary("Open and close streams of a combined response");
        group
            .MapPost("events", (HttpContext context, PublishEndpoint endpoint) => endpoint.ServeAsync(context))
            .WithSummary("Publish one event or an array, all or none");
        group
            .MapGet("journal", (HttpContext context, JournalEndpoint endpoint) => endpoint.ServeAsync(context))
            .WithSummary("A page of past events");
        group
            .MapGet("presence", (HttpContext context, PresenceEndpoint endpoint) => endpoint.ServeAsync(context))
            .WithSummary("Who is connected to a topic");
        group
            .MapGet("stats", (HttpContext context, StatsEndpoint endpoint) => endpoint.ServeAsync(context))
            .WithSummary("Own connections; totals for administrators");
        MapLeases(group);
        return group;
    }

    /// <summary>Maps <c>POST revocations</c> and <c>GET connections?user=</c> under <see cref="BasePath"/>, for back ends that issue their
    /// own tokens. Callers need the role <see cref="Dunlin.Topics.Caller.AdministratorRole"/>.</summary>
    /// <returns>A builder for conventions that apply to both endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddRevocations()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinUsers(this IEndpointRouteBuilder endpoints)
    {
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(Revocations)))
            throw new InvalidOperationException("Call AddDunlin().AddRevocations() before app.MapDunlinUsers().");
        var group = endpoints.MapGroup(BasePath).WithTags("Users").WithHead().WithDunlinCaller();
        group
            .MapPost("revocations", (HttpContext context, UserEndpoints users) => users.RevokeAsync(context))
            .WithSummary("Revoke what was issued to a user, or to one session; their streams end at once");
        group
            .MapGet("connections", (HttpContext context, UserEndpoints users) => users.ListAsync(context))
            .WithSummary("The open streams of a user");
        return group;
    }

    private static void MapLeases(RouteGroupBuilder group)
    {
        group
            .MapGet("leases", (HttpContext context, LeaseEndpoints endpoint) => endpoint.ListAsync(context))
            .WithSummary("Leases under a prefix");
        group
            .MapPut("leases/{**path}", (HttpContext context, string path, LeaseEndpoints endpoint) => endpoint.AcquireAsync(context, path))
            .WithSummary("Acquire a lease, idempotent by leaseId");
        group
            .MapPost("leases/{**path}", (HttpContext context, string path, LeaseEndpoints endpoint) => endpoint.ActAsync(context, path))
            .WithSummary("{resource}/renew, {resource}/handoff or {resource}/take");
        group
            .MapDelete(
                "leases/{**path}",
                (HttpContext context, string path, LeaseEndpoints endpoint) => endpoint.ReleaseAsync(context, path)
            )
            .WithSummary("Release a lease; the header Dunlin-Lease carries the leaseId");
    }
}
