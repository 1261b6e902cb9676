using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Dunlin.Access;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Fanout;
using Dunlin.Hooks;
using Dunlin.Hosting;
using Dunlin.Inspector;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Mercure;
using Dunlin.Postgres;
using Dunlin.Presence;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Redis;
using Dunlin.Security;
using Dunlin.Sqlite;
using Dunlin.Streams;
using Dunlin.Webhooks;
using Dunlin.Yjs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Common;

/// <summary>
/// The known settings below <c>Dunlin:</c>: single values, and sections that map to options classes. An unknown setting stops the start,
/// because ignoring a misspelt one could leave an access open.
/// </summary>
/// <param name="program">The program's name in errors, such as <c>this server</c>.</param>
/// <param name="values">Names of single values.</param>
public sealed class SettingSections(string program, params string[] values)
{
    /// <summary>The root of all settings.</summary>
    public const string Root = "Dunlin";

    private static readonly Action<BinderOptions> Strict = static binder => binder.ErrorOnUnknownConfiguration = true;

    private readonly List<(string Name, Type Type, Action<IServiceCollection, IConfigurationSection> Bind)> _sections = [];

    /// <summary>The options classes of the sections, by section name.</summary>
    public IReadOnlyDictionary<string, Type> Types =>
        _sections.ToDictionary(section => section.Name, section => section.Type, StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of all values and sections, sorted.</summary>
    public IReadOnlyList<string> Names => [.. values.Concat(_sections.Select(section => section.Name)).Order(StringComparer.Ordinal)];

    /// <summary>Adds the options of the engine. <c>docs/reference/configuration.md</c> lists their sections.</summary>
    /// <remarks>The source generator for configuration writes each of these calls: it needs the type.</remarks>
    public SettingSections WithEngine() =>
        With<AccessTokenOptions>("Tokens", static (section, options) => section.Bind(options, Strict))
            .With<RevocationOptions>("Revocations", static (section, options) => section.Bind(options, Strict))
            .With<OriginOptions>("Origins", static (section, options) => section.Bind(options, Strict))
            .With<EventStreamOptions>("Streams", static (section, options) => section.Bind(options, Strict))
            .With<PublishOptions>("Publish", static (section, options) => section.Bind(options, Strict))
            .With<ProblemOptions>("Problems", static (section, options) => section.Bind(options, Strict))
            .With<LeaseOptions>("Leases", static (section, options) => section.Bind(options, Strict))
            .With<PresenceOptions>("Presence", static (section, options) => section.Bind(options, Strict))
            .With<RetentionOptions>("Retention", static (section, options) => section.Bind(options, Strict))
            .With<FanoutOptions>("Fanout", static (section, options) => section.Bind(options, Strict))
            .With<HostingOptions>("Hosting", static (section, options) => section.Bind(options, Strict))
            .With<InspectorOptions>("Inspector", static (section, options) => section.Bind(options, Strict))
            .With<SqliteOptions>("Sqlite", static (section, options) => section.Bind(options, Strict))
            .With<PostgresOptions>("Postgres", static (section, options) => section.Bind(options, Strict))
            .With<RedisOptions>("RedisBackplane", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds the options of the Mercure hub.</summary>
    public SettingSections WithMercure() => With<MercureOptions>("Mercure", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds the options of the Durable Streams protocol.</summary>
    public SettingSections WithDurableStreams() =>
        With<DurableStreamOptions>("DurableStreams", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds the options of webhooks for topics.</summary>
    public SettingSections WithWebhooks() => With<WebhookOptions>("Webhooks", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds the options of collaborative documents.</summary>
    public SettingSections WithYjs() => With<YjsOptions>("Yjs", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds the options of webhooks that the server receives.</summary>
    public SettingSections WithHooks() => With<HookOptions>("Hooks", static (section, options) => section.Bind(options, Strict));

    /// <summary>Adds a section.</summary>
    /// <param name="name">The section's name.</param>
    /// <param name="bind">Copies the section to the options, and rejects unknown settings.</param>
    /// <param name="isShared">Whether the section also configures named options of the class.</param>
    public SettingSections With<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
        string name,
        Action<IConfigurationSection, TOptions> bind,
        bool isShared = false
    )
        where TOptions : class, new()
    {
        // The names are read now: a lambda would not carry the annotation of the type to the linker.
        var known = typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name).ToList();
        _sections.Add((name, typeof(TOptions), (services, root) => Bind(services, root.GetSection(name), known, bind, isShared)));
        return this;
    }

    /// <summary>Validates all settings and binds the sections to their options.</summary>
    /// <exception cref="InvalidOperationException">A setting is unknown, or its value has the wrong type.</exception>
    public void Bind(IServiceCollection services, IConfiguration configuration)
    {
        var root = configuration.GetSection(Root);
        var known = Names;
        foreach (var child in root.GetChildren())
        {
            if (!known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                throw new InvalidOperationException($"{child.Path} is not a setting of {program}. Settings: {string.Join(", ", known)}.");
        }
        foreach (var (_, _, bind) in _sections)
            bind(services, root);
    }

    private static void Bind<TOptions>(
        IServiceCollection services,
        IConfigurationSection section,
        List<string> known,
        Action<IConfigurationSection, TOptions> bind,
        bool isShared
    )
        where TOptions : class, new()
    {
        if (section.GetChildren().FirstOrDefault(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw new InvalidOperationException($"{unknown.Path} is not a setting. {section.Path} has: {string.Join(", ", known)}.");
        // Bind a throwaway object now, so that an invalid value fails at the start instead of at the first use.
        bind(section, new TOptions());
        if (isShared)
            services.ConfigureAll<TOptions>(options => bind(section, options));
        else
            services.Configure<TOptions>(options => bind(section, options));
    }
}
