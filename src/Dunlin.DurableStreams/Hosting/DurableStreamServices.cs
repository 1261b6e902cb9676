using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Reading;
using Dunlin.DurableStreams.Wire;
using Dunlin.DurableStreams.Writing;
using Dunlin.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with the Durable Streams protocol.</summary>
public static class DurableStreamServices
{
    /// <summary>Adds the Durable Streams protocol. Map it with <c>app.MapDurableStreams()</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddDurableStreams();
    /// </code>
    /// </example>
    public static DunlinBuilder AddDurableStreams(this DunlinBuilder builder, Action<DurableStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddValidatedOptions<DurableStreamOptions, DurableStreamOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(StreamRights)))
            return builder;
        services.AddSingleton<StreamRights>();
        services.AddSingleton<CreateEndpoint>();
        services.AddSingleton<AppendEndpoint>();
        services.AddSingleton<DeleteEndpoint>();
        services.AddSingleton<LongPolls>();
        services.AddSingleton<LiveStreams>();
        services.AddSingleton<ReadEndpoint>();
        return builder;
    }
}
