using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Reading;
using Dunlin.DurableStreams.Subscriptions;
using Dunlin.DurableStreams.Wire;
using Dunlin.DurableStreams.Writing;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the Durable Streams protocol.</summary>
public static class DurableStreamEndpoints
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps all streams below a path.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">The path. The rest of a URL names the stream. Null (the default) means that of the options:
    /// <see cref="DurableStreamOptions.Path"/>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddDurableStreams()</c> was not called.</exception>
    /// <remarks>Reading a stream needs the right to read its topic; creating, appending, closing and deleting need the right to publish to
    /// it.</remarks>
    /// <example>
    /// <code>
    /// app.MapDurableStreams("/streams");
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapDurableStreams(this IEndpointRouteBuilder endpoints, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<StreamRights>() is null)
            throw new InvalidOperationException("Call AddDunlin().AddDurableStreams() before app.MapDurableStreams().");
        path = (path ?? endpoints.ServiceProvider.GetRequiredService<IOptions<DurableStreamOptions>>().Value.Path).TrimEnd('/');
        var group = endpoints.MapGroup("").WithMetadata(WritesOwnProblems.Instance).ExcludeFromDescription();
        var origins = endpoints.ServiceProvider.GetRequiredService<IOptions<OriginOptions>>().Value;
        if (origins.AllowedOrigins.Count > 0)
            group.RequireCors(policy => Describe(policy, origins));
        Map<ReadEndpoint>(group, path, Read, static (one, context, name) => one.ServeAsync(context, name));
        Map<CreateEndpoint>(group, path, [HttpMethods.Put], static (one, context, name) => one.ServeAsync(context, name));
        Map<AppendEndpoint>(group, path, [HttpMethods.Post], static (one, context, name) => one.ServeAsync(context, name));
        MapSubscriptions(group, path);
        Map<DeleteEndpoint>(group, path, [HttpMethods.Delete], static (one, context, name) => one.ServeAsync(context, name));
        return group;
    }

    private static void Describe(CorsPolicyBuilder policy, OriginOptions origins)
    {
        OriginMiddlewareExtensions.Describe(policy, origins, new AllowedOrigins(origins.AllowedOrigins));
        policy
            .WithHeaders([.. StreamFields.OfRequests, "If-None-Match"])
            .WithExposedHeaders([.. StreamFields.OfAnswers, "Location", "Retry-After"]);
    }

    private static void Map<T>(RouteGroupBuilder group, string path, string[] methods, Func<T, HttpContext, StreamName, Task> serve)
        where T : notnull =>
        Map<T>(group, path + "/{**stream}", methods, (one, context) => serve(one, context, StreamName.Of(context, path)));

    private static void MapSubscriptions(RouteGroupBuilder group, string path)
    {
        var root = $"{path}/{StreamName.Reserved}";
        Map<SubscriptionEndpoint>(group, root + "/jwks.json", Read, static (one, context) => one.KeysAsync(context));
        var subscription = root + "/subscriptions/{id}";
        On(HttpMethods.Put, "", static (one, context, at) => one.CreateAsync(context, at));
        On(HttpMethods.Get, "", static (one, context, at) => one.GetAsync(context, at));
        On(HttpMethods.Delete, "", static (one, context, at) => one.DeleteAsync(context, at));
        On(HttpMethods.Post, "/streams", static (one, context, at) => one.AddStreamsAsync(context, at));
        On(HttpMethods.Delete, "/streams/{**stream}", static (one, context, at) => one.RemoveStreamAsync(context, at));
        On(HttpMethods.Post, "/callback", static (one, context, at) => one.CallbackAsync(context, at));
        On(HttpMethods.Post, "/claim", static (one, context, at) => one.ClaimAsync(context, at));
        On(HttpMethods.Post, "/ack", static (one, context, at) => one.AckAsync(context, at));
        On(HttpMethods.Post, "/release", static (one, context, at) => one.ReleaseAsync(context, at));

        void On(string method, string tail, Func<SubscriptionEndpoint, HttpContext, string, Task> serve) =>
            Map<SubscriptionEndpoint>(group, subscription + tail, [method], (one, context) => serve(one, context, path));
    }

    private static void Map<T>(RouteGroupBuilder group, string route, string[] methods, Func<T, HttpContext, Task> serve)
        where T : notnull =>
        group.MapMethods(
            route,
            methods,
            async context =>
            {
                StreamAnswers.ApplySecurity(context.Response);
                try
                {
                    await serve(context.RequestServices.GetRequiredService<T>(), context);
                }
                catch (SubscriptionFault fault)
                {
                    await SubscriptionEndpoint.FailAsync(context, fault);
                }
#pragma warning disable CA1031 // any exception becomes a problem response
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    if (!context.RequestAborted.IsCancellationRequested)
                        await Problem.WriteAsync(context, Known(exception));
                }
            }
        );

    // Not a fault of the server: the store was registered without streams.
    private static Exception Known(Exception exception) =>
        exception is NotSupportedException ? new DunlinException(ErrorCode.NotFound, exception.Message, null, exception) : exception;
}
