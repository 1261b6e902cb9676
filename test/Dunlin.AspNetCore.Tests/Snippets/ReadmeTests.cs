using Dunlin.TestKit;

namespace Dunlin.AspNetCore.Tests.Snippets;

public sealed class ReadmeTests
{
    [Theory]
    [InlineData("README.md", "ReadmeSnippet", "readme")]
    [InlineData("docs/concepts/jobs.md", "JobsSnippet", "jobs")]
    [InlineData("docs/guides/test-your-application.md", "TestingSnippet", "testing")]
    public void Code_of_a_page_is_the_code_that_is_compiled(string page, string file, string name)
    {
        var root = Repository.Root;
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
        var usings = File.ReadLines(Path.Combine(Repository.Root, "test/Dunlin.AspNetCore.Tests/Snippets/ReadmeSnippet.cs"))
            .Where(line => line.StartsWith("using Dunlin", StringComparison.Ordinal))
            .ToList();
        Assert.InRange(usings.Count, 0, 2);
    }

    [Fact]
    public void Every_file_that_the_documents_link_to_is_there()
    {
        var root = Repository.Root;
        var documents = Directory
            .EnumerateFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(root, "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Combine(root, "bench"), "*.md"));
        var dead =
            from document in documents
            from System.Text.RegularExpressions.Match link in System.Text.RegularExpressions.Regex.Matches(
                File.ReadAllText(document),
                @"\]\((?!https?:)([^)#:\s]+)[^)]*\)"
            )
            let target = Path.Combine(Path.GetDirectoryName(document)!, link.Groups[1].Value)
            where !File.Exists(target) && !Directory.Exists(target)
            select $"{Path.GetRelativePath(root, document)} -> {link.Groups[1].Value}";
        Assert.Empty(dead);
    }

    // Without the empty lines before the end, which the formatter adds.
    private static List<string> Between(string[] lines, Func<string, bool> begin, Func<string, bool> end)
    {
        var found = lines.SkipWhile(l => !begin(l)).Skip(1).TakeWhile(l => !end(l)).Select(l => l.Trim()).ToList();
        return found[..(found.FindLastIndex(l => l.Length > 0) + 1)];
    }
}
