using System.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Host.Tests;

/// <summary>Runs <c>start.sh</c> with stubs in place of the SDK and Node that print their arguments.</summary>
public sealed class StartScriptTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-start-").FullName;

    [Theory]
    [InlineData("--data ./x --no-demo", "host/Dunlin.Host.dll")]
    [InlineData("--server --data ./x", "standalone/dunlin.dll")]
    public async Task Paths_in_options_are_relative_to_the_callers_folder(string options, string program)
    {
        var (checkout, caller) = (Path.Combine(_folder, "checkout"), Path.Combine(_folder, "elsewhere"));
        Directory.CreateDirectory(caller);
        foreach (
            var path in new[] { "src", "clients/typescript", "apps/common", "apps/server", "apps/host/server", "apps/host/web", "tools" }
        )
            Directory.CreateDirectory(Path.Combine(checkout, path));
        foreach (
            var name in new[]
            {
                "package.json",
                "package-lock.json",
                "clients/typescript/package.json",
                "vite.config.ts",
                "tsconfig.base.json",
                "global.json",
                "Directory.Build.props",
                "Directory.Build.targets",
                "Directory.Packages.props",
            }
        )
            await File.WriteAllTextAsync(Path.Combine(checkout, name), "{}");
        File.Copy(Path.Combine(Repository.Root, "start.sh"), Path.Combine(checkout, "start.sh"));
        foreach (var tool in new[] { "dotnet", "node", "npm" })
            await ToolAsync(Path.Combine(checkout, "tools", tool));

        var start = new ProcessStartInfo("bash", ["../checkout/start.sh", .. options.Split(' ')])
        {
            UseShellExecute = false,
            WorkingDirectory = caller,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Path.Combine(checkout, "tools")}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(process.ExitCode == 0, await output + await error);
        var last = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Equal(
            $"in {caller}: {Path.Combine(checkout, "artifacts", program)} {options.Replace("--server ", "", StringComparison.Ordinal)}",
            last
        );
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task ToolAsync(string path)
    {
        await File.WriteAllTextAsync(path, "#!/usr/bin/env bash\necho \"in $PWD: $*\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
