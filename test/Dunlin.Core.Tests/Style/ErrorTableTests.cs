using System.Text;
using System.Text.RegularExpressions;
using Dunlin.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

public sealed class ErrorTableTests
{
    [Fact]
    public void Codes_are_unique_and_every_row_is_in_the_table()
    {
        Assert.Equal(ErrorCode.All.Count, ErrorCode.All.Select(e => e.Code).Distinct(StringComparer.Ordinal).Count());
        var rows = typeof(ErrorCode).GetFields().Where(f => f.FieldType == typeof(ErrorCode)).Select(f => (ErrorCode)f.GetValue(null)!);
        Assert.Equal(rows.OrderBy(r => r.Code, StringComparer.Ordinal), ErrorCode.All.OrderBy(r => r.Code, StringComparer.Ordinal));
        Assert.All(ErrorCode.All, e => Assert.Matches("^[a-z_]+$", e.Code));
    }

    [Fact]
    public void The_documented_table_is_the_one_in_the_code()
    {
        var text = new StringBuilder(
            "# Errors\n\nEvery error is a row of one table (`ErrorCode`); this page is checked against it.\n\n| code | status | class | meaning | what to do |\n|---|---|---|---|---|\n"
        );
        foreach (var e in ErrorCode.All)
            text.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"| `{e.Code}` | {e.Status} | {e.Class.ToString().ToLowerInvariant()} | {e.Title} | {Regex.Replace(e.Hint, @"\|", @"\|")} |\n"
            );
        text.Append(
            "\n**retry**: the same again, later. **resync**: fetch afresh, then go on. **stop**: change the request, or ask the user.\n"
        );
        var page = Path.Combine(Repository.Root, "docs/reference/errors.md");
        if (Environment.GetEnvironmentVariable("DUNLIN_WRITE_DOCS") is not null)
            File.WriteAllText(page, text.ToString());
        Assert.Equal(text.ToString(), File.ReadAllText(page));
    }
}
