using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Hosting;

/// <summary>Extends endpoint groups with <c>HEAD</c>.</summary>
public static class HeadRequests
{
    /// <summary>Adds <c>HEAD</c> to each endpoint of a group that accepts <c>GET</c>. The server omits the body. A stream endpoint sends
    /// its headers and opens no connection.</summary>
    /// <remarks>RFC 9110, section 9.1: a general-purpose server supports both methods. The engine's own endpoints already accept
    /// <c>HEAD</c>.</remarks>
    public static TBuilder WithHead<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Finally(static endpoint =>
        {
            for (var i = 0; i < endpoint.Metadata.Count; i++)
            {
                if (
                    endpoint.Metadata[i] is IHttpMethodMetadata methods
                    && Takes(methods, HttpMethods.Get)
                    && !Takes(methods, HttpMethods.Head)
                )
                    endpoint.Metadata[i] = new HttpMethodMetadata([.. methods.HttpMethods, HttpMethods.Head], methods.AcceptCorsPreflight);
            }
        });
        return builder;
    }

    private static bool Takes(IHttpMethodMetadata methods, string method) =>
        methods.HttpMethods.Contains(method, StringComparer.OrdinalIgnoreCase);
}
