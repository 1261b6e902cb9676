using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>
/// Every C# block of every page stands in a file that is compiled: between <c>// &lt;name&gt;</c> and <c>// &lt;/name&gt;</c>, in a
/// <c>#region</c>, or as the whole file.
/// </summary>
public sealed partial class SnippetTests
{
    private static readonly string Root = Repository.Root;

    [Fact]
    public void Every_block_of_CSharp_in_the_documentation_is_compiled()
    {
        var compiled = Sources().SelectMany(PartsOf).ToHashSet(StringComparer.Ordinal);
        var blocks = Pages().SelectMany(BlocksOf).ToList();
        Assert.True(blocks.Count > 15, $"Only {blocks.Count} blocks were found.");
        var missing = blocks
            .Where(block => !compiled.Contains(block.Text))
            .Select(block =>
                $"{block.Where}: no compiled file has this block. Put it between '// <name>' and '// </name>' in "
                + "test/Dunlin.AspNetCore.Tests/Snippets, format that file with CSharpier, and copy the lines to the page."
            );
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_marked_snippet_is_shown_on_a_page()
    {
        var shown = Pages().SelectMany(BlocksOf).Select(block => block.Text).ToHashSet(StringComparer.Ordinal);
        var unused =
            from file in Sources()
            from Match part in Marked().Matches(File.ReadAllText(file))
            where !shown.Contains(Unindented(part.Groups["text"].Value))
            select $"{Path.GetRelativePath(Root, file)}: no page shows the snippet '{part.Groups["name"].Value}' as it stands.";
        Assert.Empty(unused);
    }

    // The pages of the packages in src are compiled against the packages: ReadmeTests of Dunlin.Packages.Tests.
    private static IEnumerable<string> Pages() =>
        Files("*.md")
            .Where(file => !Path.GetRelativePath(Root, file).StartsWith("artifacts", StringComparison.Ordinal))
            .Where(file => !Path.GetRelativePath(Root, file).StartsWith("src", StringComparison.Ordinal));

    private static IEnumerable<string> Sources() =>
        new[] { "test", "apps", "examples" }.SelectMany(folder => Files("*.cs", Path.Combine(Root, folder)));

    // Without what builds and package managers have put there.
    private static IEnumerable<string> Files(string pattern, string? folder = null) =>
        Directory
            .EnumerateFiles(folder ?? Root, pattern, SearchOption.AllDirectories)
            .Where(file => !Generated().IsMatch(Path.GetRelativePath(Root, file)));

    private static IEnumerable<(string Where, string Text)> BlocksOf(string page)
    {
        var text = File.ReadAllText(page);
        return Block()
            .Matches(text)
            .Select(match =>
                (
                    $"{Path.GetRelativePath(Root, page)}:{text[..match.Index].Count(c => c == '\n') + 1}",
                    Unindented(match.Groups["text"].Value)
                )
            );
    }

    private static IEnumerable<string> PartsOf(string file)
    {
        var text = File.ReadAllText(file);
        return Marked()
            .Matches(text)
            .Concat(Region().Matches(text))
            .Select(match => Unindented(match.Groups["text"].Value))
            .Append(Unindented(text));
    }

    private static string Unindented(string text)
    {
        var lines = text.Split('\n');
        var indent = lines
            .Where(line => line.Trim().Length > 0)
            .Select(line => line.Length - line.TrimStart().Length)
            .DefaultIfEmpty()
            .Min();
        return string.Join('\n', lines.Select(line => line.Length >= indent ? line[indent..] : line.TrimStart())).Trim();
    }

    [GeneratedRegex(@"(?:^|/)(?:bin|obj|node_modules)/")]
    private static partial Regex Generated();

    [GeneratedRegex(@"^```csharp\n(?<text>.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\s*// <(?<name>[\w-]+)>\n(?<text>.*?)^\s*// </\k<name>>$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Marked();

    [GeneratedRegex(@"#region \w+\n(?<text>.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();
}
