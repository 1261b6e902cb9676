using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

/// <summary>Compares the SQL files of every dialect with the list in docs/guides/write-a-back-end.md.</summary>
public sealed class StatementTests
{
    private static readonly string[] Dialects = ["Sqlite", "Postgres"];

    private static readonly Dictionary<string, string> Sections = new(StringComparer.Ordinal)
    {
        ["### Every store"] = "every",
        ["### A store of one process"] = "single",
        ["### A store that several nodes share"] = "shared",
    };

    private static readonly string Root = Repository.Root;

    [Theory]
    [InlineData("Sqlite", "single")]
    [InlineData("Postgres", "shared")]
    public void A_dialect_has_exactly_the_statements_of_the_guide(string dialect, string kind)
    {
        var expected = Guide().Where(statement => statement.Kind == "every" || statement.Kind == kind).Select(statement => statement.Name);
        Assert.Equal(expected.Order(StringComparer.Ordinal), Files(dialect).Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Sqlite")]
    [InlineData("Postgres")]
    public void A_statement_has_the_parameters_of_the_guide(string dialect)
    {
        var files = Files(dialect);
        var guide = Guide().Where(statement => files.ContainsKey(statement.Name)).ToList();
        Assert.True(guide.Count > 40, $"{guide.Count} statements");
        foreach (var (name, _, parameters) in guide)
        {
            // Parameters are numbered consecutively from 1, so the highest number is the count.
            var used = Regex.Matches(files[name], @"[?$](\d+)").Select(match => int.Parse(match.Groups[1].Value, null)).Distinct().Order();
            Assert.True(
                Enumerable.Range(1, parameters).SequenceEqual(used),
                $"{dialect}: {name} has the parameters {string.Join(", ", used)} and not 1 to {parameters}"
            );
        }
    }

    [Fact]
    public void Every_statement_of_the_guide_is_called()
    {
        var code = string.Join(
            '\n',
            Directory
                .EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !Regex.IsMatch(file, @"[\\/](bin|obj)[\\/]"))
                .Select(File.ReadAllText)
        );
        Assert.All(Guide(), statement => Assert.Contains($"\"{statement.Name}\"", code, StringComparison.Ordinal));
    }

    private static Dictionary<string, string> Files(string dialect)
    {
        Assert.Contains(dialect, Dialects);
        return Directory
            .EnumerateFiles(Path.Combine(Root, "src", $"Dunlin.{dialect}", "Statements"), "*.sql")
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file), WithoutComments, StringComparer.Ordinal);
    }

    private static string WithoutComments(string file) =>
        string.Join('\n', File.ReadLines(file).Where(line => !line.StartsWith("--", StringComparison.Ordinal)));

    /// <summary>Returns the rows of the tables: name, section, and the number of parameters.</summary>
    private static List<(string Name, string Kind, int Parameters)> Guide()
    {
        var (kind, found) = ("", new List<(string, string, int)>());
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(Path.Combine(Root, "docs", "guides", "write-a-back-end.md")))
        {
            if (line.StartsWith('#'))
                kind = Sections.GetValueOrDefault(line, "");
            if (kind.Length == 0 || Regex.Match(line, @"^\| `(\w+)` \| ([^|]*)\|") is not { Success: true } row)
                continue;
            rows[row.Groups[1].Value] = Count(row.Groups[2].Value, rows);
            found.Add((row.Groups[1].Value, kind, rows[row.Groups[1].Value]));
        }
        Assert.NotEmpty(found);
        return found;
    }

    /// <summary>Counts parameters, which commas and semicolons separate. "as `name`" and "the same" refer to an earlier row.</summary>
    private static int Count(string cell, Dictionary<string, int> rows)
    {
        var count = 0;
        foreach (
            var part in cell.Replace("(JSON)", "", StringComparison.Ordinal)
                .Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
        {
            count +=
                part.StartsWith("the same", StringComparison.Ordinal) ? rows.Last().Value
                : Regex.Match(part, @"^as `(\w+)`") is { Success: true } other ? rows[other.Groups[1].Value]
                : 1;
        }
        return count;
    }
}
