using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Guides.Tests;

/// <summary>The figures of docs/guides/size-and-capacity.md are those of bench/README.md.</summary>
public sealed class FigureTests
{
    [Fact]
    public void Every_figure_of_the_capacity_page_was_measured()
    {
        var page = Repository.Read("docs/guides/size-and-capacity.md");
        var measured = Repository.Read("bench/README.md");
        // The second column of the first table: figures in bold.
        var figures = Regex.Matches(page, @"\*\*([0-9][0-9.,]*)\*\*").Select(match => match.Groups[1].Value).ToList();
        Assert.True(figures.Count > 12, $"{figures.Count} figures");
        Assert.DoesNotContain(figures, figure => !Regex.IsMatch(measured, $@"(?<![0-9.,]){Regex.Escape(figure)}(?![0-9]|[.,][0-9])"));
    }

    [Fact]
    public void Every_command_of_the_capacity_page_names_a_file_that_exists()
    {
        var page = Repository.Read("docs/guides/size-and-capacity.md");
        var files = Regex.Matches(page, @"\bbench/[\w./-]+").Select(match => match.Value.TrimEnd('.')).Distinct(StringComparer.Ordinal);
        Assert.DoesNotContain(files, file => !Path.Exists(Path.Combine(Repository.Root, file)));
    }
}
