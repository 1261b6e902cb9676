using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Streams;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with event streams.</summary>
public static class StreamRouting
{
    /// <summary>Maps <c>GET pattern</c> to an event stream.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="handler">Calls <see cref="EventStreams.ServeAsync"/>.</param>
    /// <returns>A builder for conventions of the endpoint.</returns>
    /// <remarks>
    /// The endpoint accepts tickets, writes errors as problem documents, and answers <c>HEAD</c> with the headers of a stream. A combined
    /// response (<c>POST /dunlin/v1/streams</c>) may include it. It refuses pages of other origins that send a cookie, unless their origin
    /// is allowed. Problem middleware holds no memory for an open stream.
    /// </remarks>
    /// <example>
    /// <code>
    /// app.MapEventStream("/api/orders/stream", context =>
    ///     context.RequestServices.GetRequiredService&lt;EventStreams&gt;()
    ///         .ServeAsync(context, new StreamRequest([TopicName.Parse("orders")])));
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapEventStream(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        Func<HttpContext, Task> handler
    ) => endpoints.MapEventStream(pattern, [HttpMethods.Get, HttpMethods.Head], handler);

    internal static IEndpointConventionBuilder MapEventStream(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        string[] methods,
        Func<HttpContext, Task> handler
    ) =>
        endpoints
            .MapMethods(
                pattern,
                methods,
                async context =>
                {
                    try
                    {
                        OriginCheck.RequireOwnOriginToStream(context);
                        await handler(context);
                    }
#pragma warning disable CA1031 // any exception becomes a problem response
                    catch (Exception error)
#pragma warning restore CA1031
                    {
                        if (!context.RequestAborted.IsCancellationRequested)
                            await Problem.WriteAsync(context, error);
                    }
                }
            )
            .WithMetadata(AcceptsTicket.Instance, WritesOwnProblems.Instance, ServesEvents.Instance)
            .WithDunlinCaller();
}
