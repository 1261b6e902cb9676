using System.Reflection;
using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

/// <summary>Style rules that no analyzer checks. BannedSymbols.txt contains banned members.</summary>
public sealed class StyleTests
{
    // Exceptions from the limit of 400 lines per file, 520 for tests. The list may only shrink.
    private static readonly Dictionary<string, int> LongFiles = new(StringComparer.Ordinal);

    private const int MaxLines = 400;
    private const int MaxTestLines = 520;
    private const int MaxColumns = 140; // max_line_length in .editorconfig, which CSharpier applies to code

    private static readonly string Root = Repository.Root;

    [Fact]
    public void Core_references_no_HTTP_and_no_SQL_driver()
    {
        var references = typeof(Dunlin.Journal.IJournal).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.NotEmpty(references);
        Assert.DoesNotContain(references, name => Regex.IsMatch(name, "AspNetCore|Sqlite|SQLite|Npgsql|Redis|System.Net.Http$"));
    }

    [Fact]
    public void Applications_use_only_the_public_API()
    {
        var friends = Sources("src", "csproj")
            .SelectMany(f => Regex.Matches(File.ReadAllText(f), "InternalsVisibleTo Include=\"([^\"]+)\"").Select(m => m.Groups[1].Value));
        Assert.DoesNotContain(
            friends,
            name =>
                name.Contains("Apps", StringComparison.Ordinal)
                || name.EndsWith(".Host", StringComparison.Ordinal)
                || name is "dunlin" or "Dunlin.Server"
        );
    }

    // MA0026 finds TODO only.
    [Fact]
    public void Code_contains_no_TODO_notes()
    {
        var found = Sources("src", "cs")
            .Concat(Sources("apps", "cs"))
            .Concat(Sources("examples", "cs"))
            .Concat(Sources("test", "cs"))
            .Where(file => !file.EndsWith("StyleTests.cs", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (Where: $"{Relative(file)}:{i + 1}", Line: line)))
            .Where(l => Regex.IsMatch(l.Line, @"\b(TODO|FIXME|HACK)\b"))
            .Select(l => $"{l.Where}: use an issue, or do the work");
        Assert.Empty(found);
    }

    [Fact]
    public void Log_event_ids_are_unique()
    {
        var ids = Sources("src", "cs")
            .Concat(Sources("apps", "cs"))
            .SelectMany(file =>
                Regex
                    .Matches(File.ReadAllText(file), @"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")
                    .Select(m => (Id: m.Groups[1].Value, File: Relative(file)))
            )
            .ToList();
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(i => i.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(i => i.File))}"));
    }

    // Parameters of log messages that are plain texts and that no peer can choose. A review has to check this list.
    private static readonly string[] OwnTexts =
    [
        "traceId",
        "code",
        "path",
        "address",
        "collection",
        "endPoint",
        "process",
        "kind",
        "type",
        "what",
        "position",
        "connection",
        "version",
        "set",
        "script",
        "detail",
        "sessionId",
        "format",
        "issuer",
        "signal",
        "loop",
        "group",
    ];

    [Fact]
    public void Peer_texts_are_logged_as_peer_texts()
    {
        var methods = Sources("src", "cs")
            .Concat(Sources("apps", "cs"))
            .SelectMany(file =>
                Regex
                    .Matches(
                        File.ReadAllText(file),
                        @"\[LoggerMessage\((?s:.*?)\)\]\s*[\w\s]*partial void (?<name>\w+)\((?<parameters>[^)]*)\)"
                    )
                    .Select(m => (File: Relative(file), Match: m))
            )
            .ToList();
        Assert.True(methods.Count > 60, $"{methods.Count} log messages");
        var found =
            from method in methods
            from parameter in method
                .Match.Groups["parameters"]
                .Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            let parts = parameter.Split(' ')
            where parts[0] is "string" or "string?" or "object" or "object?" && !OwnTexts.Contains(parts[^1])
            select $"{method.File}: {method.Match.Groups["name"].Value}({parameter}): use PeerText, unless no peer can choose the text";
        Assert.Empty(found);
    }

    [Fact]
    public void Classes_are_sealed_abstract_or_static()
    {
        var open = typeof(Dunlin.Journal.IJournal)
            .Assembly.GetTypes()
            .Where(t =>
                t is { IsClass: true, IsSealed: false, IsAbstract: false }
                && t != typeof(Dunlin.Topics.TopicView) // complete as it is; a kind of selectors may add parsed parts
                && t.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null
            )
            .Where(t => t.FullName != "Dunlin.Diagnostics.DunlinException" && !t.FullName!.Contains('<', StringComparison.Ordinal))
            .Select(t => t.FullName);
        Assert.Empty(open);
    }

    [Fact]
    public void No_type_has_a_meaningless_name()
    {
        var found = Sources("src", "cs")
            .Concat(Sources("apps", "cs"))
            .Concat(Sources("examples", "cs"))
            .SelectMany(file =>
                Regex
                    .Matches(
                        File.ReadAllText(file),
                        @"\b(?:class|record|struct|interface)\s+(\w*(?:Manager|Helper|Helpers|Util|Utils|Message|Misc)|\w+Stream)\b(?!s)"
                    )
                    .Select(m => $"{Relative(file)}: {m.Groups[1].Value}")
            )
            // A stream of one application uses the names of its contract.
            .Where(name => !name.StartsWith("apps", StringComparison.Ordinal));
        Assert.Empty(found);
    }

    [Fact]
    public void Files_respect_the_length_limit_and_exceptions_only_shrink()
    {
        var extensions = new[] { "cs", "ts", "tsx", "vue", "svelte" };
        var files = extensions.SelectMany(e =>
            new[] { "src", "apps", "clients", "examples", "test" }.SelectMany(folder => Sources(folder, e))
        );
        var tooLong = files
            .Select(f => (Name: Relative(f), Lines: File.ReadLines(f).Count()))
            .Where(f =>
                f.Lines
                > (
                    LongFiles.TryGetValue(f.Name, out var allowed) ? allowed
                    : IsTest(f.Name) ? MaxTestLines
                    : MaxLines
                )
            )
            .Select(f => $"{f.Name} has {f.Lines} lines");
        Assert.Empty(tooLong);
    }

    // CSharpier wraps code, but neither comments nor literals. A literal may be long, because a break would hide its matches.
    [Fact]
    public void Lines_have_at_most_140_columns_unless_a_literal_needs_more()
    {
        var tooLong = new[] { "src", "apps", "examples", "test", "bench" }
            .SelectMany(folder => Sources(folder, "cs"))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (Where: $"{Relative(file)}:{i + 1}", Line: line)))
            .Where(l =>
                l.Line.Length > MaxColumns
                && (l.Line.TrimStart().StartsWith("//", StringComparison.Ordinal) || !l.Line.Contains('"', StringComparison.Ordinal))
            )
            .Select(l => $"{l.Where}: {l.Line.Length} columns");
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Every_SQL_script_states_its_purpose()
    {
        var silent = Sources("src", "sql")
            .Concat(Sources("apps", "sql"))
            .Concat(Sources("examples", "sql"))
            .Where(f => !File.ReadLines(f).First().StartsWith("-- ", StringComparison.Ordinal))
            .Select(Relative);
        Assert.Empty(silent);
    }

    private static IEnumerable<string> Sources(string folder, string extension) =>
        Directory
            .EnumerateFiles(Path.Combine(Root, folder), "*." + extension, SearchOption.AllDirectories)
            .Where(f => !Regex.IsMatch(f, @"[\\/](bin|obj|node_modules|dist)[\\/]"));

    private static bool IsTest(string name) =>
        name.StartsWith("test/", StringComparison.Ordinal)
        || name.Contains("/test/", StringComparison.Ordinal)
        || name.StartsWith("src/Dunlin.TestKit/Conformance/", StringComparison.Ordinal);

    private static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');
}
