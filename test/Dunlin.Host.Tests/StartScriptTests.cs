using System.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Host.Tests;

/// <summary>Runs <c>start.sh</c> with stubs in place of the SDK and Node, which print their arguments.</summary>
public sealed class StartScriptTests : IDisposable
{
    // Publishing makes the program, and `npm run build` the pages.
    private const string Dotnet = """
        if [ "$1" = publish ]; then mkdir -p "$6" && touch "$6/Dunlin.Host.dll" "$6/dunlin.dll"; fi
        """;
    private const string Npm = """
        if [ "$*" = "run --silent build" ]; then mkdir -p artifacts/web; else mkdir -p node_modules; fi
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-start-").FullName;

    private string Checkout => Path.Combine(_folder, "checkout");

    private string Caller => Path.Combine(_folder, "elsewhere");

    [Theory]
    [InlineData("--data ./x --no-demo", "host/Dunlin.Host.dll")]
    [InlineData("--server --data ./x", "standalone/dunlin.dll")]
    public async Task Paths_in_options_are_relative_to_the_callers_folder(string options, string program)
    {
        await PrepareAsync();
        var (code, output, error) = await RunAsync(options);
        Assert.True(code == 0, output + error);
        Assert.Equal(Started(program, options.Replace("--server ", "", StringComparison.Ordinal)), output.Trim());
    }

    [Fact]
    public async Task A_second_start_builds_nothing_until_a_source_changes()
    {
        await PrepareAsync();
        var first = await RunAsync("");
        Assert.Contains("Building the pages: ", first.Error, StringComparison.Ordinal);
        Assert.Contains("Building the server: ", first.Error, StringComparison.Ordinal);
        Assert.Equal((0, Started("host/Dunlin.Host.dll", "") + "\n", ""), await RunAsync(""));

        await File.WriteAllTextAsync(Path.Combine(Checkout, "src/new.cs"), "// new");
        var third = await RunAsync("");
        Assert.Contains("Building the server: ", third.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("pages", third.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_and_server_are_built_at_the_same_time()
    {
        // Each waits until the other one runs.
        const string meet = "mkfifo met 2> /dev/null || true; ";
        await PrepareAsync(
            "if [ \"$1\" = publish ]; then " + meet + "echo server > met; fi; " + Dotnet,
            "if [ \"$1\" = run ]; then " + meet + "[ \"$(cat met)\" = server ]; fi; " + Npm
        );
        var (code, output, error) = await RunAsync("");
        Assert.True(code == 0, output + error);
    }

    [Fact]
    public async Task A_failed_part_shows_its_output_and_ends_the_other_one()
    {
        // The pages would never end.
        await PrepareAsync(
            "if [ \"$1\" = publish ]; then echo 'error CS0001: a fault'; exit 1; fi",
            "if [ \"$1\" = run ]; then exec tail -f /dev/null; fi; " + Npm
        );
        var (code, output, error) = await RunAsync("");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("error CS0001: a fault", error, StringComparison.Ordinal);
        Assert.Contains("Building the server failed", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Checkout, "artifacts/server.stamp")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task PrepareAsync(string dotnet = Dotnet, string npm = Npm)
    {
        Directory.CreateDirectory(Caller);
        foreach (
            var path in new[] { "src", "clients/typescript", "apps/common", "apps/server", "apps/host/server", "apps/host/web", "tools" }
        )
            Directory.CreateDirectory(Path.Combine(Checkout, path));
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
            await File.WriteAllTextAsync(Path.Combine(Checkout, name), "{}");
        File.Copy(Path.Combine(Repository.Root, "start.sh"), Path.Combine(Checkout, "start.sh"));
        foreach (var (tool, does) in new[] { ("dotnet", dotnet), ("node", ""), ("npm", npm) })
            await ToolAsync(Path.Combine(Checkout, "tools", tool), does);
    }

    private string Started(string program, string options) =>
        $"in {Caller}: {Path.Combine(Checkout, "artifacts", program)} {options}".TrimEnd();

    private async Task<(int Code, string Output, string Error)> RunAsync(string options)
    {
        var start = new ProcessStartInfo("bash", ["../checkout/start.sh", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)])
        {
            UseShellExecute = false,
            WorkingDirectory = Caller,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Path.Combine(Checkout, "tools")}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output, await error);
    }

    private static async Task ToolAsync(string path, string does)
    {
        await File.WriteAllTextAsync(path, $"#!/usr/bin/env bash\n{does}\necho \"in $PWD: $*\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
