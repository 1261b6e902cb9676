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

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dunlin.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run inside a checkout.");
    }
}
