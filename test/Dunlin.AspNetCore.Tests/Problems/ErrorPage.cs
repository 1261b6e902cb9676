using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.AspNetCore.Tests.Problems;

/// <summary>docs/reference/errors.md: the sections by code, and their example bodies.</summary>
internal static partial class ErrorPage
{
    public static string Text { get; } = Repository.Read("docs/reference/errors.md");

    /// <summary>The section of a code, without its heading; empty where the page has none.</summary>
    public static string SectionOf(string code)
    {
        var begin = Text.IndexOf($"\n### `{code}`\n", StringComparison.Ordinal);
        if (begin < 0)
            return "";
        var next = Text.IndexOf("\n### ", begin + 1, StringComparison.Ordinal);
        return next < 0 ? Text[begin..] : Text[begin..next];
    }

    /// <summary>The example body of a code.</summary>
    public static JsonObject ExampleOf(string code)
    {
        var block = Block().Match(SectionOf(code));
        Assert.True(block.Success, $"docs/reference/errors.md has no example with ```json in the section '### `{code}`'.");
        return JsonNode.Parse(block.Groups["json"].Value)!.AsObject();
    }

    [GeneratedRegex("```json\n(?<json>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
