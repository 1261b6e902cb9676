using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Streams;

/// <summary>Maps streams of applications.</summary>
public static class StreamRouting
{
    /// <summary>
    /// Maps <c>GET pattern</c> to a stream: takes tickets, answers errors as problem documents, may be carried by a combined response
    /// (<c>POST /dunlin/v1/streams</c>), and keeps no middleware frame alive while the stream is open. <c>HEAD</c> gets the headers.
    /// Refuses pages of other origins that come with a cookie, unless they are allowed. The handler calls
    /// <see cref="EventStreams.ServeAsync"/>.
    /// </summary>
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
#pragma warning disable CA1031 // every error becomes an answer
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
