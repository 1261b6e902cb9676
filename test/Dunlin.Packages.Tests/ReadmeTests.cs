using System.Text.RegularExpressions;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Packages.Tests;

public sealed partial class ReadmeTests
{
    // Packages of the examples that are not of Dunlin, with the versions of this repository.
    private static readonly string[] Others = ["Dapper", "xunit.v3.assert", "xunit.v3.extensibility.core"];

    [Fact]
    public async Task Examples_compile_against_the_packages_alone()
    {
        await using var workspace = new Workspace();
        await workspace.WriteAsync("nuget.config", Consumer.NugetConfig);
        await workspace.WriteAsync("Examples.csproj", Consumer.Project([.. Packed.Libraries, .. Others]));
        await workspace.WriteAsync("Main.cs", "return;");
        foreach (var name in Packed.Libraries)
        {
            var code = Assert.Single(Repository.Blocks(Repository.Read($"src/{name}/README.md"), "csharp"));
            await workspace.WriteAsync(name + ".cs", AsClass("ReadmeOf" + name.Replace(".", "", StringComparison.Ordinal), code));
        }
        await workspace.RunAsync("dotnet build --nologo -v quiet");
    }

    // Only one file of a project may have top-level statements, so each example becomes a method of a class in its own namespace.
    private static string AsClass(string name, string code)
    {
        var lines = code.Split('\n');
        var usings = lines.Where(line => UsingLine().IsMatch(line));
        var rest = string.Join('\n', lines.Where(line => !UsingLine().IsMatch(line)));
        var match = TypeBegin().Match(rest);
        var (statements, types) = match.Success ? (rest[..match.Index], rest[match.Index..]) : (rest, "");
        var run = statements.Trim().Length == 0 ? "" : $"static class Example {{ static void Run(string[] args) {{ {statements} }} }}";
        return $"{string.Join('\n', usings)}\nnamespace {name} {{\n{run}\n{types}\n}}";
    }

    [GeneratedRegex(@"^using [\w.]+;$")]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"^(///|public |internal |sealed |static class |file )", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TypeBegin();
}
