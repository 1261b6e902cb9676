using System.Diagnostics;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Packages.Tests.Support;

/// <summary>
/// An empty folder with a link to the packages, as a user has it. NuGet uses a folder of its own, so that a package of an earlier run with
/// the same version is never used.
/// </summary>
internal sealed class Workspace : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-packages-");

    public Workspace()
    {
        System.IO.Directory.CreateDirectory(Folder);
        System.IO.Directory.CreateSymbolicLink(Path.Combine(Folder, "packages"), Packed.Folder);
    }

    /// <summary>The folder in which commands run.</summary>
    public string Folder => Path.Combine(_folder.FullName, "work");

    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether NuGet and the SDK use folders of this workspace. False for the scripts of the repository, which never install a
    /// package of Dunlin.</summary>
    public bool IsIsolated { get; init; } = true;

    public string File(string name) => Path.Combine(Folder, name);

    public async Task WriteAsync(string name, string text)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        await System.IO.File.WriteAllTextAsync(File(name), text);
    }

    /// <summary>Runs a shell text that must succeed, and returns its output.</summary>
    public async Task<string> RunAsync(string script)
    {
        var (code, output) = await TryAsync(script);
        Assert.True(code == 0, $"{script}\nended with {code}:\n{output}");
        return output;
    }

    public async Task<(int Code, string Output)> TryAsync(string script)
    {
        await using var process = Start(script);
        var code = await process.WhenExitedAsync().WaitAsync(Patience);
        return (code, process.Output);
    }

    /// <summary>Starts a shell text, for programs that run until the test ends.</summary>
    public ServerProcess Start(string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script]) { WorkingDirectory = Folder };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("Dunlin__", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        if (IsIsolated)
            Isolate(start.Environment);
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        return ServerProcess.Start(start);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private void Isolate(IDictionary<string, string?> environment)
    {
        environment["DOTNET_CLI_HOME"] = _folder.FullName;
        environment["NUGET_PACKAGES"] = Path.Combine(_folder.FullName, "nuget");
        // Packages of others come from the machine's folder, which never holds one of Dunlin.
        var home = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Home, ".nuget/packages");
        if (System.IO.Directory.Exists(home))
            environment["RestoreFallbackFolders"] = home;
    }

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
