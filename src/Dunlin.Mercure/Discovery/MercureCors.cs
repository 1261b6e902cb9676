using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Discovery;

/// <summary>Permits pages of listed origins to read from the hub. It never reflects an origin that is not listed.</summary>
internal sealed class MercureCors(MercureHub hub)
{
    private readonly HashSet<string> _origins = new(hub.Options.CorsOrigins, StringComparer.Ordinal);

    /// <summary>Sets the headers of every response of the hub.</summary>
    public void Apply(HttpContext context)
    {
        if (_origins.Count == 0)
            return;
        var headers = context.Response.Headers;
        var origin = context.Request.Headers.Origin.ToString();
        if (_origins.Contains(origin))
        {
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlAllowCredentials = "true";
        }
        else if (_origins.Contains("*"))
            headers.AccessControlAllowOrigin = "*"; // without credentials
        if (origin.Length > 0 || !_origins.Contains("*"))
            headers.Append("Vary", "Origin");
        headers.AccessControlExposeHeaders = "Link, Mercure-Last-Event-ID, Last-Event-ID, WWW-Authenticate";
    }

    /// <summary>Answers a preflight request.</summary>
    public Task ServePreflightAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (headers.AccessControlAllowOrigin.Count > 0)
        {
            headers.AccessControlAllowMethods = "GET, HEAD, POST, QUERY";
            headers.AccessControlAllowHeaders = "Authorization, Cache-Control, Content-Type, Last-Event-ID";
            headers.AccessControlMaxAge = "600";
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
