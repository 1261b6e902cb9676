using System.Collections.Frozen;
using System.Reflection;
using Dunlin.Hosting;

namespace Dunlin.Relational.Sql;

/// <summary>The SQL of one database, embedded in the assembly of its store. Immutable.</summary>
/// <remarks>The statements of every dialect, listed in <c>docs/guides/write-a-back-end.md</c>, are <c>{assembly}.Statements.{name}.sql</c>.
/// The numbered scripts of the schema are <c>{assembly}.Schema.{number}_{name}.sql</c>.</remarks>
internal sealed class SqlDialect
{
    private readonly FrozenDictionary<string, string> _statements;

    /// <param name="name">The name of the dialect in the names of schema scripts, such as <c>sqlite</c>.</param>
    /// <param name="isShared">Whether several nodes may open one database.</param>
    /// <param name="assembly">The assembly of the store.</param>
    public SqlDialect(string name, bool isShared, Assembly assembly)
    {
        (Name, IsShared) = (name, isShared);
        var root = assembly.GetName().Name!;
        Schema = new SchemaScripts("dunlin", assembly, $"{root}.Schema.");
        var prefix = $"{root}.Statements.";
        _statements = assembly
            .GetManifestResourceNames()
            .Where(resource => resource.StartsWith(prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(
                resource => resource[prefix.Length..^".sql".Length],
                resource => SqlFile.Read(assembly, resource),
                StringComparer.Ordinal
            );
    }

    public string Name { get; }

    public bool IsShared { get; }

    /// <summary>Gets the scripts of the engine's own tables.</summary>
    public SchemaScripts Schema { get; }

    /// <summary>Gets the names of all statements.</summary>
    public IReadOnlyCollection<string> Statements => _statements.Keys;

    /// <summary>Gets the text of a statement.</summary>
    /// <exception cref="InvalidOperationException">The dialect has no such statement.</exception>
    public string this[string statement] =>
        _statements.TryGetValue(statement, out var text)
            ? text
            : throw new InvalidOperationException($"The dialect '{Name}' has no statement '{statement}.sql'.");
}

/// <summary>A statement that only its own store runs, from an embedded file. Compared by reference.</summary>
internal abstract class SqlFile(Assembly assembly, string resource)
{
    public string Text { get; } = Read(assembly, resource);

    public static string Read(Assembly assembly, string resource)
    {
        using var stream =
            assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The statement '{resource}' is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
