using System.Text.RegularExpressions;
using Dunlin.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

public sealed class ErrorTableTests
{
    [Fact]
    public void Codes_are_unique_and_every_error_is_in_the_table()
    {
        Assert.Equal(ErrorCode.All.Count, ErrorCode.All.Select(e => e.Code).Distinct(StringComparer.Ordinal).Count());
        var rows = typeof(ErrorCode).GetFields().Where(f => f.FieldType == typeof(ErrorCode)).Select(f => (ErrorCode)f.GetValue(null)!);
        Assert.Equal(rows.OrderBy(r => r.Code, StringComparer.Ordinal), ErrorCode.All.OrderBy(r => r.Code, StringComparer.Ordinal));
        Assert.All(ErrorCode.All, e => Assert.Matches("^[a-z_]+$", e.Code));
    }

    [Fact]
    public void The_documented_table_equals_the_code()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/reference/errors.md"));
        var begin = page.IndexOf("\n## All codes\n", StringComparison.Ordinal);
        var rows = page[begin..page.IndexOf("\n## ", begin + 1, StringComparison.Ordinal)]
            .Split('\n')
            .Where(line => line.StartsWith("| [", StringComparison.Ordinal));
        var expected = ErrorCode.All.Select(e =>
            $"| [`{e.Code}`](#{e.Code}) | {e.Status} | {e.Class.ToString().ToLowerInvariant()} | {e.Title} | {Regex.Replace(e.Hint, @"\|", @"\|")} |"
        );
        Assert.Equal(expected, rows);
    }
}
