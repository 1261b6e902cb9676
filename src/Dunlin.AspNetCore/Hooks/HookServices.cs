using Dunlin.Hooks;
using Dunlin.Hosting;
using Dunlin.Limits;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with webhooks that the server receives.</summary>
public static class HookServices
{
    /// <summary>Adds hooks: addresses for webhooks of other systems, whose requests become events. Map them with
    /// <c>app.MapDunlinHooks()</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddHooks(hooks => hooks.Sources.Add(new HookSource
    /// {
    ///     Name = "github",
    ///     Scheme = HookScheme.GitHub,
    ///     SecretFiles = { "github.secret" },
    /// }));
    /// </code>
    /// </example>
    public static DunlinBuilder AddHooks(this DunlinBuilder builder, Action<HookOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddValidatedOptions<HookOptions, HookAnnotationsValidator>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HookOptions>, HookOptionsValidator>());
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddSingleton<UserRates>();
        builder.Services.TryAddSingleton<HookEndpoint>();
        return builder;
    }
}
