using Dunlin.Hosting;
using Dunlin.Yjs;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with collaborative documents.</summary>
public static class YjsServices
{
    /// <summary>Adds collaborative documents for Yjs. Map the endpoints with <c>app.MapYjs("/api/yjs")</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. Default: null.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// The access policy of a document's topic decides: <c>MayReadAsync</c> about opening, <c>MayPublishAsync</c> about updates, snapshots
    /// and awareness.
    /// </remarks>
    public static DunlinBuilder AddYjs(this DunlinBuilder builder, Action<YjsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddValidatedOptions<YjsOptions, YjsOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddSingleton<YjsDocuments>();
        return builder;
    }
}
