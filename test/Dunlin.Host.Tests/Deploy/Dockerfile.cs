using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Host.Tests.Deploy;

/// <summary>The commands in <c>deploy/Dockerfile</c>.</summary>
internal sealed class Dockerfile
{
    private readonly List<string> _lines;

    private Dockerfile(string text) => _lines = [.. text.Split('\n')];

    /// <summary>The publish command.</summary>
    public string Publish => After("RUN ", line => line.Contains("dotnet publish", StringComparison.Ordinal));

    /// <summary>The folder of the pages.</summary>
    public string Pages => After("COPY --from=web ", static _ => true).Split(' ')[1];

    /// <summary>The program with its fixed options.</summary>
    public IReadOnlyList<string> EntryPoint => JsonSerializer.Deserialize<List<string>>(After("ENTRYPOINT ", static _ => true))!;

    /// <summary>The default options.</summary>
    public IReadOnlyList<string> Options => JsonSerializer.Deserialize<List<string>>(After("CMD ", static _ => true))!;

    public static Dockerfile Read() => new(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "Dockerfile")));

    private string After(string instruction, Func<string, bool> which) =>
        _lines.Single(line => line.StartsWith(instruction, StringComparison.Ordinal) && which(line))[instruction.Length..];
}
