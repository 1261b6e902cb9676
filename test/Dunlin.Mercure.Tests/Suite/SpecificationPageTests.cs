using System.Reflection;
using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>docs/spec/mercure.md lists each test of the suite with the rule that it proves.</summary>
public sealed class SpecificationPageTests
{
    private static readonly string Page = Repository.Read("docs/spec/mercure.md");

    [Fact]
    public void The_page_lists_exactly_the_tests_of_the_suite()
    {
        var listed = Regex
            .Matches(Page, @"^\| \d+\.\d+ \|.*\| `(?<test>\w+)` \|$", RegexOptions.Multiline)
            .Select(row => row.Groups["test"].Value);
        var tests = typeof(HubSuite)
            .GetMethods()
            .Where(static method => method.GetCustomAttribute<FactAttribute>() is not null)
            .Select(static method => method.Name);
        Assert.Equal(tests.Order(StringComparer.Ordinal), listed.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Rules_are_numbered_by_section_without_gaps()
    {
        var rows = Regex.Matches(Page, @"^\| (?<number>\d+\.\d+) \| (?<section>[^|]+) \|", RegexOptions.Multiline);
        var expected = rows.GroupBy(static row => row.Groups["section"].Value, StringComparer.Ordinal)
            .SelectMany(static (section, s) => section.Select((_, i) => $"{s + 1}.{i + 1}"));
        Assert.Equal(expected, rows.Select(static row => row.Groups["number"].Value));
    }

    [Fact]
    public void Classes_that_the_page_names_exist()
    {
        var types = typeof(HubSuite).Assembly.GetTypes().Select(static type => type.Name).ToHashSet(StringComparer.Ordinal);
        // Tests of the program are in the project of the server.
        var programs = Path.Combine(Repository.Root, "test", "Dunlin.Server.Tests");
        types.UnionWith(Directory.EnumerateFiles(programs, "*.cs").Select(static file => Path.GetFileNameWithoutExtension(file)));
        Assert.All(
            Regex.Matches(Page, "`(?<type>\\w+Tests)`", RegexOptions.None).Select(static match => match.Groups["type"].Value),
            name => Assert.Contains(name, types)
        );
    }
}
