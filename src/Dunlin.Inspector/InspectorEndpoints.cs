using Dunlin.Diagnostics;
using Dunlin.Inspector;
using Dunlin.Inspector.Connections;
using Dunlin.Inspector.Jobs;
using Dunlin.Inspector.Journal;
using Dunlin.Inspector.Leases;
using Dunlin.Inspector.Pages;
using Dunlin.Inspector.Refusals;
using Dunlin.Inspector.Sampling;
using Dunlin.Inspector.Topics;
using Dunlin.Inspector.Users;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the inspector.</summary>
public static class InspectorEndpoints
{
    /// <summary>The default path of the inspector.</summary>
    public const string DefaultPath = "/dunlin/inspect";

    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    private static readonly string[] Write = [HttpMethods.Post];

    /// <summary>Maps the page and the data of the inspector. The page contains no data. All data needs the role
    /// <see cref="Caller.AdministratorRole"/>: other callers get 401 or 403.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">The path. Default: <see cref="DefaultPath"/>.</param>
    /// <returns>A builder for conventions that apply to these endpoints. It maps nothing if <see cref="InspectorOptions.Enabled"/> is
    /// false.</returns>
    /// <exception cref="InvalidOperationException"><c>AddInspector()</c> was not called.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddTokens().AddInspector();
    /// var app = builder.Build();
    /// app.MapDunlin();
    /// app.MapDunlinInspector();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapDunlinInspector(this IEndpointRouteBuilder endpoints, string path = DefaultPath)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        if (!services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(Sampler)))
            throw new InvalidOperationException("Call AddDunlin().AddInspector() before app.MapDunlinInspector().");
        var group = endpoints.MapGroup(path).ExcludeFromDescription().WithMetadata(WritesOwnProblems.Instance).WithDunlinCaller();
        var options = services.GetRequiredService<IOptions<InspectorOptions>>().Value;
        if (!options.Enabled)
            return group;
        MapData(group);
        group.MapMethods(
            "api/mode",
            Read,
            Guard(
                context =>
                    context.Response.WriteAsJsonAsync(
                        new InspectorMode(options.UseAccounts, context.Request.PathBase + DunlinEndpoints.BasePath, HasWebhooks(context)),
                        InspectorJson.Default.InspectorMode,
                        cancellationToken: context.RequestAborted
                    ),
                isPublic: true
            )
        );
        var page = Guard(context => context.RequestServices.GetRequiredService<PageFiles>().ServeAsync(context, path), isPublic: true);
        group.MapMethods("", Read, page);
        group.MapMethods("{**file}", Read, page);
        return group;
    }

    private static bool HasWebhooks(HttpContext context) =>
        context
            .RequestServices.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Any(static endpoint => endpoint.RoutePattern.RawText?.TrimEnd('/') == DunlinEndpoints.BasePath + "/webhooks");

    private static void MapData(RouteGroupBuilder group)
    {
        Map<SampleEndpoint>(group, "api/stream", Read, static (stream, context) => stream.ServeAsync(context));
        Map<TopicViews>(group, "api/topics", Read, static (topics, context) => topics.ServeAsync(context));
        Map<ConnectionViews>(group, "api/connections", Read, static (connections, context) => connections.ServeListAsync(context));
        Map<ConnectionViews>(group, "api/connections/{id}", Read, static (connections, context) => connections.ServeDetailAsync(context));
        Map<JournalViews>(group, "api/journal", Read, static (journal, context) => journal.ServeListAsync(context));
        Map<JournalViews>(group, "api/journal/{offset}", Read, static (journal, context) => journal.ServeEventAsync(context));
        Map<LeaseViews>(group, "api/leases", Read, static (leases, context) => leases.ServeListAsync(context));
        Map<LeaseHistory>(group, "api/leases/history", Read, static (history, context) => history.ServeAsync(context));
        Map<LeaseViews>(group, "api/leases/end", Write, static (leases, context) => leases.EndAsync(context));
        Map<LeaseViews>(group, "api/leases/preempt", Write, static (leases, context) => leases.PreemptAsync(context));
        Map<JobViews>(group, "api/jobs", Read, static (jobs, context) => jobs.ServeAsync(context));
        Map<JobViews>(group, "api/jobs/retry", Write, static (jobs, context) => jobs.RetryAsync(context));
        Map<JobViews>(group, "api/jobs/cancel", Write, static (jobs, context) => jobs.CancelAsync(context));
        Map<RefusalLog>(group, "api/refusals", Read, static (refusals, context) => refusals.ServeAsync(context));
        group.MapMethods("api/revoke", Write, Guard(RevokeEndpoint.ServeAsync));
        // Before the page, which answers all other paths.
        group.MapMethods(
            "api/{**rest}",
            Read,
            Guard(static _ => throw new DunlinException(ErrorCode.NotFound, "The inspector has no data at this path."))
        );
    }

    private static void Map<T>(RouteGroupBuilder group, string pattern, string[] methods, Func<T, HttpContext, Task> serve)
        where T : notnull =>
        group.MapMethods(pattern, methods, Guard(context => serve(context.RequestServices.GetRequiredService<T>(), context)));

    /// <summary>Refuses other callers, and writes problem documents with or without the middleware.</summary>
    private static RequestDelegate Guard(Func<HttpContext, Task> serve, bool isPublic = false) =>
        async context =>
        {
            try
            {
                if (!isPublic)
                {
                    if (!context.RequireCaller().IsAdministrator)
                        throw new DunlinException(
                            ErrorCode.Forbidden,
                            $"You need the role '{Caller.AdministratorRole}' for the inspector."
                        );
                    context.Response.Headers.CacheControl = "no-store";
                }
                await serve(context);
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
