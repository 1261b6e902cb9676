using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Mono.Cecil;

namespace Dunlin.Core.Tests.Architecture;

/// <summary>Checks the layers of Dunlin.Core against ARCHITECTURE.md.</summary>
public sealed class LayerTests
{
    private const string Registration = "Hosting";

    private static readonly string Root = Repository.Root;
    private static readonly string Document = Repository.Read("ARCHITECTURE.md");
    private static readonly LayerTable Table = LayerTable.Parse(Document);
    private static readonly string Core = typeof(Dunlin.Journal.IJournal).Assembly.Location;

    [Fact]
    public void Types_use_only_lower_layers() => Assert.Empty(Faults(Table));

    [Fact]
    public void Using_lines_name_only_lower_layers()
    {
        var found =
            from file in CoreFiles()
            from Match line in Regex.Matches(File.ReadAllText(file), @"^using (?:static )?Dunlin\.(?<folder>\w+)", RegexOptions.Multiline)
            let fault = Table.Fault(FolderOf(file), line.Groups["folder"].Value)
            where fault is not null
            select $"{Path.GetRelativePath(Root, file)}: {line.Value}: {fault}";
        Assert.Empty(found);
    }

    [Fact]
    public void Each_folder_is_a_namespace_and_has_a_layer()
    {
        var folders = CoreFiles().Select(FolderOf).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(Table.Folders.Order(StringComparer.Ordinal), folders);
        var found = CoreFiles()
            .Select(file => (File: file, Namespace: NamespaceOf(file)))
            .Where(file => FolderOfNamespace(file.Namespace) != FolderOf(file.File))
            .Select(file => $"{Path.GetRelativePath(Root, file.File)} has the namespace {file.Namespace}");
        Assert.Empty(found);
    }

    [Fact]
    public void Arrows_of_the_picture_point_to_lower_layers()
    {
        Assert.NotEmpty(Table.Arrows);
        Assert.All(Table.Arrows, arrow => Assert.True(Table.LayerOf(arrow.To) < Table.LayerOf(arrow.From), $"{arrow.From} --> {arrow.To}"));
        var shown = Table.Arrows.SelectMany(arrow => new[] { arrow.From, arrow.To }).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(Table.Folders.Order(StringComparer.Ordinal), shown);
    }

    [Fact]
    public void A_use_of_a_higher_layer_is_reported_with_both_types()
    {
        var swapped = LayerTable.Parse(Document.Replace("| 4 | `Journal` |", "| 99 | `Journal` |", StringComparison.Ordinal));
        Assert.Contains("Dunlin.Fanout.EventFanout uses Dunlin.Journal.IJournal: layer 6 uses layer 99", Faults(swapped));
    }

    [Fact]
    public void A_use_without_an_arrow_is_reported_with_both_types()
    {
        var cut = LayerTable.Parse(Document.Replace("    Presence --> Cluster\n", "", StringComparison.Ordinal));
        Assert.Contains(
            "Dunlin.Presence.PresenceRegistry uses Dunlin.Cluster.ClusterQuery: no arrow leads from Presence to Cluster",
            Faults(cut)
        );
    }

    [Fact]
    public void Packages_reference_only_the_packages_of_their_row()
    {
        var rows = LayerTable.Packages(Document);
        var projects = Directory
            .GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.Equal(
            rows.Keys.Order(StringComparer.Ordinal),
            projects.Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)
        );
        var found =
            from project in projects
            let name = Path.GetFileNameWithoutExtension(project)
            from Match reference in Regex.Matches(
                File.ReadAllText(project),
                "<ProjectReference Include=\"[^\"]*?(?<name>[^/\"]+)\\.csproj\""
            )
            where !rows[name].Contains(reference.Groups["name"].Value)
            select $"{name} references {reference.Groups["name"].Value}";
        Assert.Empty(found);
    }

    [Fact]
    public void Folders_of_application_servers_are_namespaces()
    {
        var files = SystemFiles().ToList();
        Assert.NotEmpty(files);
        var found =
            from file in files
            let name = NamespaceOf(file)
            // Dunlin.Apps.Focus.Timer, of the folder focus/server/Timer
            let folders = string.Join('.', PartsOf(file).Where((_, i) => i != 1))
            where !name.Equals("Dunlin.Apps." + folders, StringComparison.OrdinalIgnoreCase)
            select $"{Path.GetRelativePath(Root, file)} has the namespace {name}";
        Assert.Empty(found);
    }

    [Fact]
    public void Endpoints_and_mutators_stand_in_the_folder_of_their_feature()
    {
        var found =
            from file in SystemFiles()
            where Regex.IsMatch(Path.GetFileName(file), "(Endpoints|Mutators)\\.cs$") && PartsOf(file).Length == 2
            select Path.GetRelativePath(Root, file);
        Assert.Empty(found);
    }

    private static IReadOnlyList<string> Faults(LayerTable table)
    {
        var uses = TypeUses.Of(Core);
        Assert.NotEmpty(uses);
        return
        [
            .. from pair in uses
            where IsOwn(pair.User) && IsOwn(pair.Used)
            let fault = table.Fault(FolderOfNamespace(pair.User.Namespace), FolderOfNamespace(pair.Used.Namespace))
            where fault is not null
            select $"{pair.User.FullName} uses {pair.Used.FullName}: {fault}",
        ];
    }

    // The compiler and source generators add their own types to the assembly.
    private static bool IsOwn(TypeDefinition type) =>
        !type.Name.StartsWith('<') && (type.Namespace.StartsWith("Dunlin", StringComparison.Ordinal) || IsEntryPoint(type.Namespace));

    private static string FolderOfNamespace(string name) =>
        IsEntryPoint(name) ? Registration : name.Split('.').ElementAtOrDefault(1) ?? name;

    private static bool IsEntryPoint(string name) => name == "Microsoft.Extensions.DependencyInjection";

    private static string FolderOf(string file) => Path.GetRelativePath(Path.Combine(Root, "src/Dunlin.Core"), file).Split('/', '\\')[0];

    private static string NamespaceOf(string file) =>
        Regex.Match(File.ReadAllText(file), @"^namespace (?<name>[\w.]+);", RegexOptions.Multiline).Groups["name"].Value;

    // The folders between apps/ and the file: focus, server, Timer.
    private static string[] PartsOf(string file) => Path.GetRelativePath(Path.Combine(Root, "apps"), file).Split('/', '\\')[..^1];

    private static IEnumerable<string> CoreFiles() => Sources("src/Dunlin.Core");

    private static IEnumerable<string> SystemFiles() =>
        new[] { "documents", "focus", "todos", "warranty", "wishlists" }.SelectMany(system => Sources($"apps/{system}/server"));

    private static IEnumerable<string> Sources(string folder) =>
        Directory
            .EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !Regex.IsMatch(file, @"[\\/](bin|obj)[\\/]"));
}
