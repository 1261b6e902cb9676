using Dunlin.Security;
using Dunlin.Yjs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with collaborative documents.</summary>
public static class YjsRouting
{
    internal const string Document = "document";

    /// <summary>Maps <c>GET</c>, <c>POST</c> and <c>PUT</c> of <c>{basePath}/{document}</c>. The name of the document is its topic, and may
    /// have slashes.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="basePath">The path prefix, for example <c>/api/yjs</c>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddYjs()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapYjs(this IEndpointRouteBuilder endpoints, string basePath)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(YjsDocuments)))
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddYjs() before app.MapYjs().");
        var group = endpoints.MapGroup(basePath).WithTags("Yjs").WithDunlinCaller();
        const string pattern = "{**" + Document + "}";
        RequestDelegate read = static context => Documents(context).ReadAsync(context);
        group.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], read).WithSummary("The entries of a document after an offset");
        RequestDelegate append = static context => Documents(context).AppendAsync(context);
        group.MapPost(pattern, append).WithSummary("Append an update");
        RequestDelegate compact = static context => Documents(context).CompactAsync(context);
        group.MapPut(pattern, compact).WithSummary("Store a snapshot, and remove the entries that it has");
        return group;
    }

    private static YjsDocuments Documents(HttpContext context) => context.RequestServices.GetRequiredService<YjsDocuments>();
}
