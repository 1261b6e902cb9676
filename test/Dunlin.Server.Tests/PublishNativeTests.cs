using System.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>What scripts/publish-native.sh refuses, before it builds anything.</summary>
[Trait("Store", "own")]
public sealed class PublishNativeTests
{
    private static readonly string[] Tools = ["bash", "uname", "dirname", "dotnet"];

    [Theory]
    [InlineData("'osx-arm64' is not a runtime of the server. Runtimes: linux-x64, linux-arm64, win-x64.", "--runtime", "osx-arm64")]
    [InlineData("win-x64 is linked on Windows only: run this script there, in Git Bash.", "--runtime", "win-x64")]
    [InlineData("--runtime needs a value.", "--runtime")]
    [InlineData("'--fast' is not an option. Options: --runtime, --output.", "--fast")]
    public async Task A_wrong_request_is_refused_with_one_sentence(string sentence, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(Environment.GetEnvironmentVariable("PATH")!, arguments);
        Assert.Equal((1, "", $"publish-native: {sentence}\n"), (code, output, error));
    }

    [Theory]
    [InlineData("linker", "clang or gcc")]
    [InlineData("objcopy", "binutils", "gcc")]
    public async Task A_missing_tool_is_named_with_its_package(string tool, string package, params string[] present)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-tools-");
        try
        {
            foreach (var name in Tools.Concat(present))
                File.CreateSymbolicLink(Path.Combine(folder.FullName, name), Which(name));
            var (code, output, error) = await RunAsync(folder.FullName);
            Assert.Equal((1, ""), (code, output));
            Assert.Matches($@"^publish-native: linux-\w+ needs an? {tool}: install {package}\.\n$", error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Which(string name) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"'{name}' is not installed.");

    private static async Task<(int Code, string Output, string Error)> RunAsync(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo(Which("bash"), [Path.Combine(Repository.Root, "scripts", "publish-native.sh"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = path;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
