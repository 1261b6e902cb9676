using System.Text.RegularExpressions;

namespace Dunlin.Core.Tests.Architecture;

/// <summary>The layers that ARCHITECTURE.md declares in the table, the picture and the packages.</summary>
internal sealed class LayerTable
{
    private readonly Dictionary<string, int> _layers;
    private readonly ILookup<string, string> _arrows;

    private LayerTable(Dictionary<string, int> layers, ILookup<string, string> arrows) => (_layers, _arrows) = (layers, arrows);

    public IReadOnlyCollection<string> Folders => _layers.Keys;

    public IEnumerable<(string From, string To)> Arrows => _arrows.SelectMany(from => from.Select(to => (from.Key, to)));

    public static LayerTable Parse(string document)
    {
        var layers = Rows(Section(document, "## Layers of Dunlin.Core"), cells => int.TryParse(cells[0], out _))
            .SelectMany(cells => Names(cells[1]).Select(folder => (Folder: folder, Layer: int.Parse(cells[0]))))
            .ToDictionary(row => row.Folder, row => row.Layer, StringComparer.Ordinal);
        var picture = Regex.Match(document, "```mermaid\n(?<lines>.*?)```", RegexOptions.Singleline).Groups["lines"].Value;
        var arrows = Regex
            .Matches(picture, @"^\s*(?<from>\w+) --> (?<to>\w+)\s*$", RegexOptions.Multiline)
            .ToLookup(arrow => arrow.Groups["from"].Value, arrow => arrow.Groups["to"].Value, StringComparer.Ordinal);
        return new LayerTable(layers, arrows);
    }

    /// <summary>Returns the packages and the packages that each may reference.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Packages(string document) =>
        Rows(Section(document, "### Packages"), cells => cells[0].StartsWith('`'))
            .ToDictionary(cells => Names(cells[0]).Single(), cells => Names(cells[1]), StringComparer.Ordinal);

    /// <summary>Returns the layer of a folder; null if the table does not contain it.</summary>
    public int? LayerOf(string folder) => _layers.TryGetValue(folder, out var layer) ? layer : null;

    /// <summary>Returns why a folder may not use another; null if it may.</summary>
    public string? Fault(string from, string to)
    {
        if (from == to)
            return null;
        if (LayerOf(from) is not { } upper)
            return $"'{from}' is in no layer";
        if (LayerOf(to) is not { } lower)
            return $"'{to}' is in no layer";
        if (lower >= upper)
            return $"layer {upper} uses layer {lower}";
        return Reaches(from, to) ? null : $"no arrow leads from {from} to {to}";
    }

    private bool Reaches(string from, string to) => _arrows[from].Any(next => next == to || Reaches(next, to));

    private static string Section(string document, string heading)
    {
        var start = document.IndexOf(heading + "\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"ARCHITECTURE.md has no section '{heading}'.");
        var end = document.IndexOf("\n#", start + heading.Length, StringComparison.Ordinal);
        return end < 0 ? document[start..] : document[start..end];
    }

    private static IEnumerable<string[]> Rows(string section, Func<string[], bool> isRow) =>
        section
            .Split('\n')
            .Where(line => line.StartsWith('|'))
            .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length >= 2 && isRow(cells));

    private static IReadOnlyList<string> Names(string cell) =>
        [.. Regex.Matches(cell, "`(?<name>[^`]+)`").Select(name => name.Groups["name"].Value)];
}
