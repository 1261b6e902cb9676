using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Guides.Tests.Support;

/// <summary>
/// The program of a guide in <c>test/guides</c> as a process, in a folder of its own with the guide's static files and its page, bundled
/// as the guide says. It can be killed and started again on the same port and data.
/// </summary>
internal sealed partial class GuideProgram : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-guide-");
    private readonly string _name;
    private ServerProcess? _process;
    private int _port;

    private GuideProgram(string name) => _name = name;

    /// <summary>Where the program listens, without a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <param name="name">The folder below <c>test/guides</c>, and the name of the program.</param>
    /// <param name="options">Further options of its command line, which are settings of its configuration.</param>
    public static async Task<GuideProgram> StartAsync(string name, params string[] options)
    {
        var program = new GuideProgram(name);
        var wwwroot = program._folder.CreateSubdirectory("wwwroot").FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "test", "guides", name, "wwwroot")))
            File.Copy(file, Path.Combine(wwwroot, Path.GetFileName(file)));
        await program.BundleAsync(Path.Combine(wwwroot, "page.js"));
        await program.StartAsync(options);
        return program;
    }

    /// <summary>Starts the program, or starts it again after <see cref="KillAsync"/>.</summary>
    public async Task StartAsync(params string[] options)
    {
        if (_process is not null)
            await _process.DisposeAsync();
        // Built beside the tests, in the same configuration.
        var built = Path.GetRelativePath(Path.Combine(Repository.Root, "test", "Dunlin.Guides.Tests"), AppContext.BaseDirectory);
        var port = _port.ToString(CultureInfo.InvariantCulture);
        string[] arguments =
        [
            Path.Combine(Repository.Root, "test", "guides", _name, built, _name + ".dll"),
            "--urls",
            "http://127.0.0.1:" + port,
            "--contentRoot",
            _folder.FullName,
            .. options,
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = _folder.FullName };
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        _process = ServerProcess.Start(start);
        Address = (await _process.WhenSeenAsync(Listening())).Groups[1].Value;
        _port = new Uri(Address).Port;
    }

    /// <summary>Kills the program (SIGKILL).</summary>
    public Task KillAsync() => _process!.KillAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    // With the sources of the client, so that no build of it is needed.
    private async Task BundleAsync(string target)
    {
        var client = Path.Combine(Repository.Root, "clients", "typescript", "src");
        var esbuild = Path.Combine(Repository.Root, "node_modules", ".bin", "esbuild");
        Assert.True(File.Exists(esbuild), "The web packages are not installed. Run ./test.sh, or: npm ci");
        string[] arguments =
        [
            Path.Combine(Repository.Root, "test", "guides", _name, "page.ts"),
            "--bundle",
            "--format=esm",
            "--log-level=warning",
            "--alias:@dunlin/client/rxdb=" + Path.Combine(client, "rxdb", "index.ts"),
            "--alias:@dunlin/client=" + Path.Combine(client, "index.ts"),
            "--outfile=" + target,
        ];
        await ServerProcess.RunAsync(esbuild, arguments, Repository.Root);
    }

    [GeneratedRegex("Now listening on: (http://127\\.0\\.0\\.1:[0-9]+)")]
    private static partial Regex Listening();
}
