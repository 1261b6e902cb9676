namespace Dunlin.AspNetCore.Tests.Snippets;

public sealed class ReadmeTests
{
    [Fact]
    public void Server_of_the_README_needs_at_most_two_namespaces_of_Dunlin()
    {
        var usings = File.ReadLines(Path.Combine(Root(), "test/Dunlin.AspNetCore.Tests/Snippets/ReadmeSnippet.cs"))
            .Where(line => line.StartsWith("using Dunlin", StringComparison.Ordinal))
            .ToList();
        Assert.InRange(usings.Count, 0, 2);
    }

    [Fact]
    public void Every_file_that_the_documents_link_to_is_there()
    {
        var root = Root();
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

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dunlin.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run inside a checkout.");
    }
}
