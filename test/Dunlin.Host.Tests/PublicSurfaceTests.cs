using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using Dunlin.Journal;
using Dunlin.TestKit;

namespace Dunlin.Host.Tests;

/// <summary>
/// The public types of Dunlin.Core are those that an application needs: ADR 24. A type that nobody outside the engine can need is internal.
/// </summary>
public sealed class PublicSurfaceTests
{
    private static readonly Assembly Core = typeof(IJournal).Assembly;
    private static readonly string Folder = Path.GetDirectoryName(typeof(PublicSurfaceTests).Assembly.Location)!;

    private static readonly Assembly[] Libraries = [.. Assemblies(name => !IsApplication(name) && !IsTest(name))];

    /// <summary>
    /// A public type is used by one of the applications, is part of the signature of a public type that is, or is named by a page of the
    /// documentation.
    /// </summary>
    [Fact]
    public void Every_public_type_of_the_engine_serves_applications()
    {
        var needed = new HashSet<Type>();
        var names = Assemblies(IsApplication).SelectMany(assembly => TypesNamedBy(assembly.Location)).ToHashSet(StringComparer.Ordinal);
        var pages = string.Concat(Pages().Select(File.ReadAllText));
        foreach (var type in Libraries.SelectMany(library => library.GetExportedTypes()))
        {
            if (
                type.Assembly != Core
                || names.Contains(type.FullName!)
                || NamesOf(type).Any(name => pages.Contains(name, StringComparison.Ordinal))
            )
                Need(type, needed);
        }
        Assert.True(names.Count > 20 && pages.Length > 10_000, "The applications or the pages were not found.");
        var unneeded = Core.GetExportedTypes().Where(type => !type.IsNested && !needed.Contains(type)).Select(type => type.FullName);
        Assert.True(
            !unneeded.Any(),
            $"Make these types internal, or describe what an application does with them: {string.Join(", ", unneeded)}"
        );
    }

    /// <summary>The applications prove that the public API is enough, so no library lets one see its internals.</summary>
    [Fact]
    public void No_application_sees_the_internals_of_a_library()
    {
        var friends =
            from library in Libraries
            from friend in library.GetCustomAttributes<InternalsVisibleToAttribute>()
            where IsApplication(friend.AssemblyName)
            select $"{library.GetName().Name} -> {friend.AssemblyName}";
        Assert.Empty(friends);
    }

    private static bool IsApplication(string name) =>
        name is "dunlin-host" or "Dunlin.Host" or "Dunlin.Server" or "TeamChat"
        || name.StartsWith("Dunlin.Apps.", StringComparison.Ordinal);

    private static bool IsTest(string name) => name.EndsWith(".Tests", StringComparison.Ordinal) || name == "Dunlin.TestKit";

    private static IEnumerable<Assembly> Assemblies(Func<string, bool> isWanted) =>
        from file in Directory.EnumerateFiles(Folder, "*.dll")
        let name = Path.GetFileNameWithoutExtension(file)
        where (name.StartsWith("Dunlin.", StringComparison.Ordinal) || IsApplication(name)) && isWanted(name)
        select Assembly.LoadFrom(file);

    private static IEnumerable<string> TypesNamedBy(string file)
    {
        using var image = new PEReader(File.OpenRead(file));
        var metadata = image.GetMetadataReader();
        foreach (var handle in metadata.TypeReferences)
        {
            var type = metadata.GetTypeReference(handle);
            if (type.ResolutionScope.Kind == HandleKind.AssemblyReference)
                yield return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
        }
    }

    private static IEnumerable<string> Pages()
    {
        // Decisions and the changelog also name what is gone.
        return Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Where(page => !page.Contains("/adr/", StringComparison.Ordinal))
            .Append(Path.Combine(Repository.Root, "README.md"));
    }

    // Users know a class of extension methods by its methods.
    private static IEnumerable<string> NamesOf(Type type) =>
        type is { IsAbstract: true, IsSealed: true }
            ? type.GetMethods(BindingFlags.Public | BindingFlags.Static).Select(method => method.Name).Append(type.Name)
            : [type.Name.Split('`')[0]];

    private static void Need(Type type, HashSet<Type> needed)
    {
        if (type.HasElementType)
            type = type.GetElementType()!;
        foreach (var argument in type.GetGenericArguments().Where(argument => !argument.IsGenericParameter))
            Need(argument, needed);
        type = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        if (type.IsGenericParameter || !type.Assembly.GetName().Name!.StartsWith("Dunlin", StringComparison.Ordinal) || !needed.Add(type))
            return;
        if (type.BaseType is { } parent)
            Need(parent, needed);
        const BindingFlags declared =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var member in type.GetMembers(declared))
        {
            foreach (var used in SignatureOf(member))
                Need(used, needed);
        }
    }

    private static IEnumerable<Type> SignatureOf(MemberInfo member) =>
        member switch
        {
            MethodInfo method when IsVisible(method) => [method.ReturnType, .. method.GetParameters().Select(p => p.ParameterType)],
            ConstructorInfo constructor when IsVisible(constructor) => constructor.GetParameters().Select(p => p.ParameterType),
            FieldInfo { IsPublic: true } field => [field.FieldType],
            Type { IsNestedPublic: true } nested => [nested],
            _ => [],
        };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;
}
