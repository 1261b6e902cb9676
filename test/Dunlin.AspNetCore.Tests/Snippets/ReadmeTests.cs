using Dunlin.TestKit;

namespace Dunlin.AspNetCore.Tests.Snippets;

public sealed class ReadmeTests
{
    [Fact]
    public void Server_of_the_README_needs_at_most_two_namespaces_of_Dunlin()
    {
        var usings = File.ReadLines(Path.Combine(Repository.Root, "test/Dunlin.AspNetCore.Tests/Snippets/ReadmeSnippet.cs"))
            .Where(line => line.StartsWith("using Dunlin", StringComparison.Ordinal))
            .ToList();
        Assert.InRange(usings.Count, 0, 2);
    }
}
