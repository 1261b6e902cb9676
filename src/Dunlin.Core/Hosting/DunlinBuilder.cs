using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Dunlin.Devices;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Hosting;

/// <summary>Configures the engine: stores, access policies, lease announcers, channels and schemas. Not thread-safe.</summary>
/// <param name="services">The services of the application.</param>
public sealed class DunlinBuilder(IServiceCollection services)
{
    /// <summary>Gets the services of the application.</summary>
    public IServiceCollection Services { get; } = services;

    /// <summary>
    /// Adds an access policy for topics and resources under a prefix. The policy with the longest prefix that covers a name decides alone.
    /// </summary>
    /// <remarks>
    /// Without a policy, a user can read the topics <c>users/{id}</c> of that user only. Each check gets its own policy in its own service
    /// scope, so a policy may use scoped services such as a <c>DbContext</c>. A policy without constructor parameters, or registered as a
    /// singleton, has one instance, which must be thread-safe.
    /// </remarks>
    /// <typeparam name="TPolicy">The policy.</typeparam>
    /// <param name="prefix">The prefix, segment by segment; empty for all names.</param>
    /// <returns>This builder.</returns>
    public DunlinBuilder AddAccessPolicy<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TPolicy>(
        string prefix
    )
        where TPolicy : class, IAccessPolicy
    {
        ServiceScopes.AddDefault<TPolicy>(Services);
        Services.TryAddSingleton<ScopedAccessPolicy<TPolicy>>();
        Services.AddSingleton(provider => new AccessRule(
            prefix,
            ServiceScopes.IsSingleton<TPolicy>(Services)
                ? provider.GetRequiredService<TPolicy>()
                : provider.GetRequiredService<ScopedAccessPolicy<TPolicy>>()
        ));
        return this;
    }

    /// <summary>
    /// Adds an announcer for lease changes of resources under a prefix. The announcer with the longest prefix announces a change.
    /// </summary>
    /// <typeparam name="TAnnouncer">The announcer. It has one instance, which must be thread-safe.</typeparam>
    /// <param name="prefix">The prefix, segment by segment; empty for all resources.</param>
    /// <returns>This builder.</returns>
    public DunlinBuilder AddLeaseAnnouncer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TAnnouncer>(
        string prefix
    )
        where TAnnouncer : class, ILeaseAnnouncer
    {
        Services.AddSingleton(provider => new LeaseAnnouncerRule(
            prefix,
            ActivatorUtilities.GetServiceOrCreateInstance<TAnnouncer>(provider)
        ));
        return this;
    }

    /// <summary>
    /// Declares a channel of <see cref="UserDevices"/> and its event types. Undeclared channels and types are rejected with
    /// <see cref="Diagnostics.ErrorCode.InvalidField"/>.
    /// </summary>
    /// <param name="channel">The channel: 1 to 40 letters, digits and <c>._-</c>.</param>
    /// <param name="types">The types: each 1 to 40 letters, digits and <c>._-</c>.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">A name is not valid, or the channel is <c>system</c>.</exception>
    public DunlinBuilder AddChannel(string channel, params string[] types)
    {
        Services.AddSingleton(new ChannelRule(channel, types));
        return this;
    }

    /// <summary>Adds tables of the application to the store, as numbered SQL scripts in embedded resources.</summary>
    /// <remarks>
    /// The scripts are named <c>NNNN_name.sql</c>. Each runs once, in order, before the host takes requests. A script
    /// <c>NNNN_name.sqlite.sql</c> or <c>NNNN_name.postgres.sql</c> replaces the common script with this number on that database.
    /// </remarks>
    /// <param name="name">The name of the schema, under which the last executed number is stored.</param>
    /// <param name="assembly">The assembly with the scripts.</param>
    /// <param name="resourcePrefix">The prefix of the resource names, for example <c>Dunlin.Apps.Warranty.Schema.</c></param>
    /// <returns>This builder.</returns>
    public DunlinBuilder AddSchema(string name, Assembly assembly, string resourcePrefix)
    {
        Services.AddSingleton(new SchemaScripts(name, assembly, resourcePrefix));
        return this;
    }
}

/// <summary>A numbered set of SQL scripts; see <see cref="DunlinBuilder.AddSchema"/>. Immutable.</summary>
/// <param name="Name">The name of the schema, under which the last executed number is stored.</param>
/// <param name="Assembly">The assembly with the scripts.</param>
/// <param name="ResourcePrefix">The prefix of the resource names, for example <c>Dunlin.Apps.Warranty.Schema.</c></param>
public sealed record SchemaScripts(string Name, Assembly Assembly, string ResourcePrefix)
{
    /// <summary>Returns the scripts for one database, ordered by number.</summary>
    /// <param name="dialect"><c>sqlite</c> or <c>postgres</c>.</param>
    /// <exception cref="InvalidOperationException">Two scripts have the same number, a name has no number, or there is no
    /// script.</exception>
    public IReadOnlyList<SchemaScript> For(string dialect)
    {
        var scripts = new SortedDictionary<int, (SchemaScript Script, bool Specific)>();
        foreach (var resource in Assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(ResourcePrefix, StringComparison.Ordinal) || !resource.EndsWith(".sql", StringComparison.Ordinal))
                continue;
            var file = resource[ResourcePrefix.Length..].TrimStart('.');
            var parts = file.Split('.');
            if (parts.Length == 3 && !string.Equals(parts[1], dialect, StringComparison.Ordinal))
                continue;
            if (!int.TryParse(file.AsSpan(0, Math.Min(4, file.Length)), System.Globalization.CultureInfo.InvariantCulture, out var number))
                throw new InvalidOperationException($"The schema script '{resource}' has an invalid name. Rename it to NNNN_name.sql.");
            var specific = parts.Length == 3;
            if (scripts.TryGetValue(number, out var other) && other.Specific == specific)
                throw new InvalidOperationException(
                    $"Two schema scripts of '{Name}' have the number {number}: '{other.Script.FileName}' and '{file}'."
                );
            if (!scripts.ContainsKey(number) || specific)
                scripts[number] = (new SchemaScript(number, file, Read(resource)), specific);
        }
        return scripts.Count > 0
            ? [.. scripts.Values.Select(s => s.Script)]
            : throw new InvalidOperationException(
                $"The schema '{Name}' has no script for {dialect} under '{ResourcePrefix}' in {Assembly.GetName().Name}."
            );
    }

    private string Read(string resource)
    {
        using var reader = new StreamReader(Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}

/// <summary>A SQL script of a schema. Immutable.</summary>
/// <param name="Number">The number, which orders the scripts.</param>
/// <param name="FileName">The file name.</param>
/// <param name="Sql">The SQL text.</param>
public sealed record SchemaScript(int Number, string FileName, string Sql);
