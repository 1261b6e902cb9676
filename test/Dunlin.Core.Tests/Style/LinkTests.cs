using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

/// <summary>Links of the documents lead to a file, and to a heading or an anchor of it. The documentation site lists every page.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] Folders = ["apps", "bench", "clients", "deploy", "docs", "examples", "src", "test"];

    private static readonly string Root = Repository.Root;

    [Fact]
    public void Links_of_all_documents_lead_to_files_and_headings()
    {
        var documents = Documents().ToList();
        Assert.True(documents.Count > 50, $"{documents.Count} documents");
        Assert.Empty(documents.SelectMany(BrokenLinks));
    }

    [Theory]
    [InlineData("[a](missing.md)", "missing.md")]
    [InlineData("[a](page.md#other)", "page.md#other")]
    [InlineData("[a](#other)", "#other")]
    [InlineData("[a][b]\n\n[b]: missing.md", "missing.md")]
    [InlineData("<a href=\"missing.md\">a</a>", "missing.md")]
    [InlineData("![a](missing.svg)", "missing.svg")]
    public void Broken_link_is_found(string text, string target) => Assert.Equal(target, Assert.Single(BrokenLinksIn(text)));

    [Theory]
    [InlineData("[a](page.md)")]
    [InlineData("[a](page.md#a-heading-with-code)")]
    [InlineData("[a](page.md#repeated-1)")]
    [InlineData("[a](page.md#given)")]
    [InlineData("[a](https://example.com/missing.md)")]
    [InlineData("```sh\n[a](missing.md)\n```")]
    [InlineData("`[a](missing.md)`")]
    public void Sound_link_is_no_finding(string text) => Assert.Empty(BrokenLinksIn(text));

    [Fact]
    public void Site_lists_every_page_of_the_documentation()
    {
        var listed = Directory
            .EnumerateFiles(Path.Combine(Root, "docs"), "toc.yml", SearchOption.AllDirectories)
            .SelectMany(toc =>
                TocEntry().Matches(File.ReadAllText(toc)).Select(m => Path.GetFullPath(m.Groups["page"].Value, Path.GetDirectoryName(toc)!))
            )
            .ToHashSet(StringComparer.Ordinal);
        var missing = Documents()
            .Where(page => page.StartsWith(Path.Combine(Root, "docs") + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            .Where(page => !listed.Contains(page) && page != Path.Combine(Root, "docs", "index.md"))
            .Select(page => $"{Path.GetRelativePath(Root, page)}: add it to the toc.yml of its folder");
        Assert.Empty(missing);
    }

    private static IEnumerable<string> Documents() =>
        Folders
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Where(file => !Ignored().IsMatch(Path.GetRelativePath(Root, file).Replace('\\', '/')));

    private static IEnumerable<string> BrokenLinks(string document) =>
        Targets(document)
            .Where(target => !IsSound(document, target))
            .Select(target => $"{Path.GetRelativePath(Root, document)} -> {target}");

    private static List<string> BrokenLinksIn(string text)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-links-");
        try
        {
            File.WriteAllText(
                Path.Combine(folder.FullName, "page.md"),
                "# A heading, with `code`\n## Repeated\n## Repeated\n<a id=\"given\"></a>\n"
            );
            var document = Path.Combine(folder.FullName, "document.md");
            File.WriteAllText(document, text);
            return [.. Targets(document).Where(target => !IsSound(document, target))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Targets(string document) =>
        Link()
            .Matches(InlineCode().Replace(CodeBlock().Replace(File.ReadAllText(document), ""), ""))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !Uri.TryCreate(target, UriKind.Absolute, out _));

    private static bool IsSound(string document, string target)
    {
        var parts = target.Split('#', 2);
        var file = parts[0].Length == 0 ? document : Path.GetFullPath(Uri.UnescapeDataString(parts[0]), Path.GetDirectoryName(document)!);
        if (!File.Exists(file))
            return parts.Length == 1 && Directory.Exists(file);
        return parts.Length == 1 || !file.EndsWith(".md", StringComparison.Ordinal) || Anchors(file).Contains(parts[1]);
    }

    // As Git hosts and docfx name headings.
    private static HashSet<string> Anchors(string file)
    {
        var text = CodeBlock().Replace(File.ReadAllText(file), "");
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(text))
        {
            var words = LinkText().Replace(heading.Groups["text"].Value, "${text}").ToLowerInvariant();
            var anchor = Blanks().Replace(NoAnchor().Replace(words, "").Trim(), "-");
            for (
                var i = 0;
                !anchors.Add(i == 0 ? anchor : $"{anchor}-{i.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
                i++
            ) { }
        }
        anchors.UnionWith(GivenAnchor().Matches(text).Select(match => match.Groups["anchor"].Value));
        return anchors;
    }

    [GeneratedRegex(@"(^|/)(node_modules|bin|obj|dist)/", RegexOptions.ExplicitCapture)]
    private static partial Regex Ignored();

    [GeneratedRegex(@"^(?<fence>```+|~~~+).*?^\k<fence>", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(
        @"\]\((?<target>[^)\s]+)[^)]*\)|^\[[^\]]+\]:\s+(?<target>\S+)|\b(?:href|src)=""(?<target>[^""]+)""",
        RegexOptions.Multiline
    )]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6}\s+(?<text>.+?)\s*#*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"[^\p{L}\p{N}\s_-]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"<a (?:id|name)=""(?<anchor>[^""]+)""")]
    private static partial Regex GivenAnchor();

    [GeneratedRegex(@"href:\s*(?<page>\S+\.md)\s*$", RegexOptions.Multiline)]
    private static partial Regex TocEntry();
}
