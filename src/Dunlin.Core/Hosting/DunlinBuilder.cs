using System.Reflection;
using Dunlin.Devices;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dunlin.Hosting;

/// <summary>What <c>AddDunlin()</c> returns: back ends, policies and schemas hang off it.</summary>
public sealed class DunlinBuilder(IServiceCollection services)
{
    /// <summary>The services being configured.</summary>
    public IServiceCollection Services { get; } = services;

    /// <summary>Lets <typeparamref name="TPolicy"/> decide about topics and resources under <paramref name="prefix"/>; the
    /// longest prefix that covers a name decides alone. Without any, only a user's own <c>users/{id}</c> topics can be read.</summary>
    /// <remarks>Each question gets a policy of its own, made in a scope, so a policy may take scoped services such as a
    /// <c>DbContext</c>. One object answers all questions where the policy
    /// is registered as a singleton, or where its constructor takes nothing.</remarks>
    public DunlinBuilder AddAccessPolicy<TPolicy>(string prefix)
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

    /// <summary>Lets <typeparamref name="TAnnouncer"/> tell of lease changes of resources under <paramref name="prefix"/>.</summary>
    public DunlinBuilder AddLeaseAnnouncer<TAnnouncer>(string prefix)
        where TAnnouncer : class, ILeaseAnnouncer
    {
        Services.AddSingleton(provider => new LeaseAnnouncerRule(
            prefix,
            ActivatorUtilities.GetServiceOrCreateInstance<TAnnouncer>(provider)
        ));
        return this;
    }

    /// <summary>
    /// Declares a channel of <see cref="UserDevices"/> and what can happen on it; anything else is refused with the field named.
    /// </summary>
    /// <exception cref="ArgumentException">A name is not 1 to 40 letters, digits and <c>._-</c>, or the channel is
    /// <c>system</c>.</exception>
    public DunlinBuilder AddChannel(string channel, params string[] types)
    {
        Services.AddSingleton(new ChannelRule(channel, types));
        return this;
    }

    /// <summary>
    /// Adds the application's own tables to the store: numbered scripts <c>NNNN_name.sql</c>, embedded as resources below
    /// <paramref name="resourcePrefix"/>, each run once, in order, before the host takes requests. A script that one
    /// database needs otherwise is named <c>NNNN_name.sqlite.sql</c> or <c>NNNN_name.postgres.sql</c> and stands in for
    /// the common one there.
    /// </summary>
    public DunlinBuilder AddSchema(string name, Assembly assembly, string resourcePrefix)
    {
        Services.AddSingleton(new SchemaScripts(name, assembly, resourcePrefix));
        return this;
    }
}

/// <summary>One numbered set of scripts; see <see cref="DunlinBuilder.AddSchema"/>.</summary>
/// <param name="Name">Whose tables: the key under which the last number run is remembered.</param>
/// <param name="Assembly">Where the scripts are embedded.</param>
/// <param name="ResourcePrefix">What their resource names begin with, for example <c>Dunlin.Apps.Warranty.Schema.</c></param>
public sealed record SchemaScripts(string Name, Assembly Assembly, string ResourcePrefix)
{
    /// <summary>The scripts for one database, by number.</summary>
    /// <param name="dialect"><c>sqlite</c> or <c>postgres</c>.</param>
    /// <exception cref="InvalidOperationException">Two scripts have one number, a name has no number, or there is none at all.</exception>
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

/// <summary>One script.</summary>
public sealed record SchemaScript(int Number, string FileName, string Sql);
