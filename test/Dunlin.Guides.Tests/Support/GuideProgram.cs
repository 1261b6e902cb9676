using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Guides.Tests.Support;

/// <summary>
/// The program of a guide in <c>test/guides</c>, or of an example, as a process. Its folder has the static files and the page, bundled as
/// the guide says. It can be killed and started again on the same port and data.
/// </summary>
internal sealed partial class GuideProgram : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-guide-");
    private readonly string _project;
    private readonly string _name;
    private ServerProcess? _process;
    private int _port;

    private GuideProgram(string project, string name) => (_project, _name) = (Path.Combine(Repository.Root, project), name);

    /// <summary>Where the program listens, without a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <param name="name">The folder below <c>test/guides</c>, and the name of the program.</param>
    /// <param name="options">Further options of its command line, which are settings of its configuration.</param>
    public static async Task<GuideProgram> StartAsync(string name, params string[] options)
    {
        var program = new GuideProgram(Path.Combine("test", "guides", name), name);
        var wwwroot = program._folder.CreateSubdirectory("wwwroot").FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(program._project, "wwwroot")))
            File.Copy(file, Path.Combine(wwwroot, Path.GetFileName(file)));
        await program.BundleAsync(Path.Combine(wwwroot, "page.js"));
        await program.StartAsync(options);
        return program;
    }

    /// <summary>Starts an example, with its page bundled by <c>scripts/build-example.mjs</c>.</summary>
    /// <param name="folder">The folder below <c>examples</c>.</param>
    /// <param name="name">The name of the program.</param>
    /// <param name="options">Further options of its command line.</param>
    public static async Task<GuideProgram> StartExampleAsync(string folder, string name, params string[] options)
    {
        var program = new GuideProgram(Path.Combine("examples", folder), name);
        var wwwroot = program._folder.CreateSubdirectory("wwwroot").FullName;
        string[] arguments = [Path.Combine("scripts", "build-example.mjs"), folder, wwwroot, "--sources"];
        await ServerProcess.RunAsync("node", arguments, Repository.Root);
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
            Path.Combine(_project, built, _name + ".dll"),
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
            Path.Combine(_project, "page.ts"),
            "--bundle",
            "--format=esm",
            "--log-level=warning",
            "--alias:@dunlin/client/rxdb=" + Path.Combine(client, "rxdb", "index.ts"),
            "--alias:@dunlin/client/yjs=" + Path.Combine(client, "yjs", "index.ts"),
            "--alias:@dunlin/client=" + Path.Combine(client, "index.ts"),
            "--outfile=" + target,
        ];
        await ServerProcess.RunAsync(esbuild, arguments, Repository.Root);
    }

    [GeneratedRegex("Now listening on: (http://127\\.0\\.0\\.1:[0-9]+)")]
    private static partial Regex Listening();
}
