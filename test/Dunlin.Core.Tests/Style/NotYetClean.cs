namespace Dunlin.Core.Tests.Style;

/// <summary>not-yet-clean.txt: the files that each check of language excuses. It only shrinks.</summary>
internal static class NotYetClean
{
    private const string Page = "test/Dunlin.Core.Tests/Style/not-yet-clean.txt";
    private const int MaxShown = 40;

    /// <summary>
    /// Fails for each fault in a file that the section does not list, and for each listed file without a fault. With
    /// <c>DUNLIN_WRITE_DOCS</c> the latter are removed from the list instead.
    /// </summary>
    public static void Check(string section, IEnumerable<(string Path, string Fault)> faults)
    {
        var byFile = faults.ToLookup(fault => fault.Path, fault => fault.Fault, StringComparer.Ordinal);
        var listed = Read(section);
        var shown = byFile.Where(file => !listed.Contains(file.Key)).SelectMany(file => file).ToList();
        var clean = listed.Where(path => !byFile.Contains(path)).ToList();
        if (Environment.GetEnvironmentVariable("DUNLIN_WRITE_DOCS") is { } mode)
        {
            // "all" also adds files, for a change of the rules.
            Write(section, mode == "all" ? byFile.Select(file => file.Key) : listed.Except(clean, StringComparer.Ordinal));
            return;
        }
        Assert.True(shown.Count == 0, $"{shown.Count} faults. Rewrite the text:\n{string.Join('\n', shown.Take(MaxShown))}");
        Assert.True(
            clean.Count == 0,
            $"These files comply now. Remove them from the section '{section}' of {Page}, or run this test with DUNLIN_WRITE_DOCS=1:\n{string.Join('\n', clean)}"
        );
    }

    private static List<string> Read(string section)
    {
        var lines = Checkout.Read(Page).Split('\n');
        return
        [
            .. lines
                .SkipWhile(line => line != $"[{section}]")
                .Skip(1)
                .TakeWhile(line => !line.StartsWith('['))
                .Where(line => line.Length > 0 && !line.StartsWith('#')),
        ];
    }

    private static void Write(string section, IEnumerable<string> paths)
    {
        var text = Checkout.Read(Page);
        var begin = text.IndexOf($"[{section}]\n", StringComparison.Ordinal) + section.Length + 3;
        var next = text.IndexOf("\n[", begin - 1, StringComparison.Ordinal);
        var rest = next < 0 ? "" : text[next..];
        var body = string.Concat(paths.Order(StringComparer.Ordinal).Select(path => path + "\n"));
        File.WriteAllText(Path.Combine(Checkout.Root, Page), text[..begin] + body + rest);
    }
}
