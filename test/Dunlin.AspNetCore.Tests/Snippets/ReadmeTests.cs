namespace Dunlin.AspNetCore.Tests.Snippets;

public sealed class ReadmeTests
{
    [Theory]
    [InlineData("README.md", "ReadmeSnippet", "readme")]
    [InlineData("docs/concepts/jobs.md", "JobsSnippet", "jobs")]
    [InlineData("docs/guides/test-your-application.md", "TestingSnippet", "testing")]
    public void Code_of_a_page_is_the_code_that_is_compiled(string page, string file, string name)
    {
        var root = Root();
        var compiled = Between(
            File.ReadAllLines(Path.Combine(root, $"test/Dunlin.AspNetCore.Tests/Snippets/{file}.cs")),
            l => l.Contains($"// <{name}>", StringComparison.Ordinal),
            l => l.Contains($"// </{name}>", StringComparison.Ordinal)
        );
        var shown = Between(File.ReadAllLines(Path.Combine(root, page)), l => l == "```csharp", l => l == "```");
        Assert.NotEmpty(shown);
        Assert.Equal(compiled, shown);
    }

    [Fact]
    public void Server_of_the_README_needs_at_most_two_namespaces_of_Dunlin()
    {
        var usings = File.ReadLines(Path.Combine(Root(), "test/Dunlin.AspNetCore.Tests/Snippets/ReadmeSnippet.cs"))
            .Where(line => line.StartsWith("using Dunlin", StringComparison.Ordinal))
            .ToList();
        Assert.InRange(usings.Count, 0, 2);
    }

    // Without the empty lines before the end, which the formatter adds.
    private static List<string> Between(string[] lines, Func<string, bool> begin, Func<string, bool> end)
    {
        var found = lines.SkipWhile(l => !begin(l)).Skip(1).TakeWhile(l => !end(l)).Select(l => l.Trim()).ToList();
        return found[..(found.FindLastIndex(l => l.Length > 0) + 1)];
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dunlin.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run inside a checkout.");
    }
}
