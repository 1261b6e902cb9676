using System.Reflection;
using Dunlin.Access;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Inspector;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres;
using Dunlin.Presence;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Redis;
using Dunlin.Security;
using Dunlin.Sqlite;
using Dunlin.Streams;
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

    private readonly List<(string Name, Type Type, Action<IServiceCollection, IConfigurationSection> Bind)> _sections = [];

    /// <summary>The options classes of the sections, by section name.</summary>
    public IReadOnlyDictionary<string, Type> Types =>
        _sections.ToDictionary(section => section.Name, section => section.Type, StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of all values and sections, sorted.</summary>
    public IReadOnlyList<string> Names => [.. values.Concat(_sections.Select(section => section.Name)).Order(StringComparer.Ordinal)];

    /// <summary>Adds the options of the engine. <c>docs/reference/configuration.md</c> lists their sections.</summary>
    public SettingSections WithEngine() =>
        With<AccessTokenOptions>("Tokens")
            .With<RevocationOptions>("Revocations")
            .With<OriginOptions>("Origins")
            .With<EventStreamOptions>("Streams")
            .With<PublishOptions>("Publish")
            .With<ProblemOptions>("Problems")
            .With<LeaseOptions>("Leases")
            .With<PresenceOptions>("Presence")
            .With<RetentionOptions>("Retention")
            .With<FanoutOptions>("Fanout")
            .With<HostingOptions>("Hosting")
            .With<InspectorOptions>("Inspector")
            .With<SqliteOptions>("Sqlite")
            .With<PostgresOptions>("Postgres")
            .With<RedisOptions>("RedisBackplane");

    /// <summary>Adds a section.</summary>
    /// <param name="name">The section's name.</param>
    /// <param name="isShared">Whether the section also configures named options of the class.</param>
    public SettingSections With<TOptions>(string name, bool isShared = false)
        where TOptions : class, new()
    {
        _sections.Add((name, typeof(TOptions), (services, root) => Bind<TOptions>(services, root.GetSection(name), isShared)));
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

    private static void Bind<TOptions>(IServiceCollection services, IConfigurationSection section, bool isShared)
        where TOptions : class, new()
    {
        var known = typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name).ToList();
        if (section.GetChildren().FirstOrDefault(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw new InvalidOperationException($"{unknown.Path} is not a setting. {section.Path} has: {string.Join(", ", known)}.");
        // Bind a throwaway object now, so that an invalid value fails at the start instead of at the first use.
        Bind(section, new TOptions());
        if (isShared)
            services.ConfigureAll<TOptions>(options => Bind(section, options));
        else
            services.Configure<TOptions>(options => Bind(section, options));
    }

    private static void Bind(IConfigurationSection section, object options) =>
        section.Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);
}
