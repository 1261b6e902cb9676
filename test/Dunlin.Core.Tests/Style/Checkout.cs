using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Style;

/// <summary>The files of the repository that the checks of language read.</summary>
internal static partial class Checkout
{
    private static readonly string[] Skipped = [".git", "artifacts", "bin", "dist", "node_modules", "obj"];

    public static string Root => Repository.Root;

    /// <summary>Paths from the root, with slashes, of the files with one of these extensions.</summary>
    public static IEnumerable<string> Files(params string[] extensions) =>
        Walk(new DirectoryInfo(Root))
            .Where(file => extensions.Contains(file.Extension, StringComparer.Ordinal))
            .Select(file => Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);

    public static string Read(string path) => Repository.Read(path).ReplaceLineEndings("\n");

    /// <summary>The text of the comments of C# or TypeScript code, with line numbers.</summary>
    public static IEnumerable<(int Line, string Text)> Comments(string path) =>
        from line in Lines(path)
        let comment = (path.EndsWith(".cs", StringComparison.Ordinal) ? LineComment() : AnyComment()).Match(line.Text)
        where comment.Success
        select (line.Number, comment.Groups["text"].Value);

    /// <summary>The string literals of C# code with three words or more: texts of errors and log messages.</summary>
    public static IEnumerable<(int Line, string Text)> Literals(string path) =>
        from line in Lines(path)
        where !LineComment().IsMatch(line.Text)
        from literal in Literal().Matches(line.Text)
        where WordPair().IsMatch(literal.Value)
        select (line.Number, literal.Groups["text"].Value);

    private static IEnumerable<(int Number, string Text)> Lines(string path) => Read(path).Split('\n').Select((text, i) => (i + 1, text));

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder) =>
        folder
            .EnumerateFiles()
            .Concat(folder.EnumerateDirectories().Where(child => !Skipped.Contains(child.Name, StringComparer.Ordinal)).SelectMany(Walk));

    [GeneratedRegex(@"(?:^|\s)///?\s?(?<text>.*)$")]
    private static partial Regex LineComment();

    [GeneratedRegex(@"^\s*(?://|/?\*+)\s?(?<text>.*)$|\s//\s(?<text>.*)$")]
    private static partial Regex AnyComment();

    [GeneratedRegex("\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Literal();

    [GeneratedRegex("[A-Za-z']{2,} [A-Za-z']{2,} [A-Za-z']{2,}")]
    private static partial Regex WordPair();
}
