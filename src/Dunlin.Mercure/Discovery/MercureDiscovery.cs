using Dunlin.Mercure;
using Dunlin.Mercure.Discovery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Tells readers of your resources where the hub is.</summary>
public static class MercureDiscovery
{
    /// <summary>Adds the link to the hub to every response to <c>GET</c> and <c>HEAD</c> that has none yet.</summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <exception cref="InvalidOperationException"><c>AddMercure()</c> was not called.</exception>
    /// <example>
    /// <code>
    /// app.UseMercureDiscovery();
    /// app.MapMercure();
    /// </code>
    /// </example>
    public static IApplicationBuilder UseMercureDiscovery(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var hub = HubOf(app.ApplicationServices, "app.UseMercureDiscovery()");
        var link = MercureLink.Of(hub.Options.Url);
        return app.Use(
            (context, next) =>
            {
                if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                    context.Response.OnStarting(() =>
                    {
                        if (!HasLink(context.Response.Headers.Link))
                            context.Response.Headers.Append("Link", link);
                        return Task.CompletedTask;
                    });
                return next(context);
            }
        );
    }

    /// <summary>Adds the link to the hub to one response, with what readers should know of the updates. Call it before the body.</summary>
    /// <param name="response">The response.</param>
    /// <param name="lastEventId">The id of the last update that the resource contains. Null for none.</param>
    /// <param name="type">The event type of the updates. Null for the default.</param>
    /// <param name="contentType">The media type of the updates. Null for that of the resource.</param>
    /// <param name="topic">The topic of the resource, as link <c>self</c>. Null: its own URL.</param>
    /// <exception cref="InvalidOperationException"><c>AddMercure()</c> was not called.</exception>
    public static void AddMercureLink(
        this HttpResponse response,
        string? lastEventId = null,
        string? type = null,
        string? contentType = null,
        string? topic = null
    )
    {
        ArgumentNullException.ThrowIfNull(response);
        var hub = HubOf(response.HttpContext.RequestServices, "AddMercureLink");
        if (topic is not null)
            response.Headers.Append("Link", $"<{topic}>; rel=\"self\"");
        response.Headers.Append("Link", MercureLink.Of(hub.Options.Url, lastEventId, type, contentType));
    }

    private static bool HasLink(StringValues links) =>
        links.Any(static link => link?.Contains("rel=\"mercure\"", StringComparison.Ordinal) == true);

    private static MercureHub HubOf(IServiceProvider services, string caller) =>
        services.GetService<MercureHub>() ?? throw new InvalidOperationException($"Call AddDunlin().AddMercure() before {caller}.");
}
