using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Hosting;

/// <summary>Answers <c>HEAD</c> wherever <c>GET</c> is answered.</summary>
public static class HeadRequests
{
    /// <summary>
    /// Maps <c>HEAD</c> to every endpoint of a group that takes <c>GET</c>. The server leaves the body out; a stream answers with its
    /// headers and opens no connection. The engine's own endpoints have it already.
    /// </summary>
    /// <remarks>RFC 9110, section 9.1: a general-purpose server supports both methods.</remarks>
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
