using System.Security.Cryptography;

namespace Dunlin.Fuzz.Engine;

/// <summary>An input that the engine does not read well.</summary>
internal sealed record Finding(string Target, string Kind, string Detail, string File);

/// <summary>Keeps the inputs of findings as files, one for each kind. Not thread-safe.</summary>
internal sealed class FindingStore(string folder)
{
    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _kinds = new(StringComparer.Ordinal);

    public IReadOnlyList<Finding> All => _findings;

    /// <summary>Returns the kind of a fault: two inputs with the same kind show the same fault.</summary>
    public static string KindOf(Exception exception) =>
        exception is FindingException finding ? finding.Kind : $"{exception.GetType().Name} {FrameOf(exception)}";

    /// <returns>Whether the kind is new.</returns>
    public bool Add(string target, byte[] input, string kind, string detail)
    {
        if (!_kinds.Add($"{target} {kind}"))
            return false;
        var path = Path.Combine(folder, target, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8)));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, input);
        _findings.Add(new Finding(target, kind, detail, path));
        Console.WriteLine($"FINDING {target}: {kind}");
        Console.WriteLine($"  {detail.ReplaceLineEndings("\n  ")}");
        Console.WriteLine($"  input: {path}");
        return true;
    }

    private static string FrameOf(Exception exception) =>
        exception
            .StackTrace?.Split('\n')
            .Select(static line => line.Trim())
            .FirstOrDefault(static line => line.StartsWith("at Dunlin.", StringComparison.Ordinal))
            ?.Split(" in ")[0]
        ?? "";
}
