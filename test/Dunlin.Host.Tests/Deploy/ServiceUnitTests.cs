using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests.Deploy;

/// <summary>Checks <c>deploy/dunlin@.service</c> with systemd's tools, and runs it as far as possible without a running systemd.</summary>
public sealed class ServiceUnitTests : IDisposable
{
    /// <summary>Maximum exposure, 0 (tight) to 10. The rest is caused by network access and the JIT compiler.</summary>
    private const string MostExposed = "20"; // in tenths

    private static readonly string[] Owned = ["dunlin", "5081"];

    // The program's folder inside the unit. The checkout may be below /tmp, which the unit replaces.
    private const string Seen = "/mnt";

    private readonly string _folder = Directory
        .CreateDirectory(Path.Combine(AppContext.BaseDirectory, "unit-" + Guid.NewGuid().ToString("N")))
        .FullName;
    private readonly ServiceUnit _unit = ServiceUnit.Read();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Systemd_accepts_the_unit_and_rates_it_safe()
    {
        var file = Path.Combine(_folder, "dunlin@5081.service");
        // The only check that depends on the machine: whether the program exists.
        await File.WriteAllTextAsync(file, _unit.Text.Replace("/usr/bin/dotnet", Dotnet(), StringComparison.Ordinal), Cancellation);
        var (status, said) = await RunAsync("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", file);
        Assert.True(status == 0 && said.Length == 0, said);
        (status, said) = await RunAsync("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=" + MostExposed, file);
        Assert.True(status == 0, said);
    }

    [Fact]
    public void Unit_settings_are_known_to_the_host_and_its_ports_to_nginx()
    {
        Assert.Empty(KnownSettings.Unknown(_unit.Environment.Keys));
        Assert.Equal("127.0.0.1", _unit.Environment["Dunlin__TrustedProxies"]);
        var nginx = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "nginx-cluster.conf"));
        var instances = _unit
            .Text.Split('\n')[0]
            .Split(' ')
            .Where(word => word.StartsWith("dunlin@", StringComparison.Ordinal))
            .Select(word => word["dunlin@".Length..])
            .ToList();
        Assert.Equal(3, instances.Count);
        Assert.All(instances, port => Assert.Contains($"server 127.0.0.1:{port} ", nginx, StringComparison.Ordinal));
        Assert.Equal($"/var/lib/{_unit["StateDirectory"]}", Argument("--data"));
    }

    [Fact]
    public async Task The_published_program_runs_unprivileged_with_its_state_directory()
    {
        // Publishes as the Dockerfile does, without a build. Its COPY determines the folder of the pages.
        var program = Path.Combine(_folder, "opt", "dunlin");
        var image = Dockerfile.Read();
        var (published, said) = await RunAsync(
            "bash",
            "-c",
            $"cd '{Repository.Root}' && {image.Publish.Replace("/opt/dunlin", program, StringComparison.Ordinal)} --no-build"
        );
        Assert.True(published == 0, said);
        var page = Path.Combine(image.Pages.Replace("/opt/dunlin", program, StringComparison.Ordinal), "apps", "host", "web", "index.html");
        Directory.CreateDirectory(Path.GetDirectoryName(page)!);
        await File.WriteAllTextAsync(page, "<p>the page</p>", Cancellation);
        var state = Directory.CreateDirectory(Path.Combine([_folder, "var", .. Owned])).FullName;
        var port = ServerProcess.FreePort();
        var command = _unit["ExecStart"]
            .Replace("/var/lib/dunlin/%i", state.Replace(_folder, Seen, StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("/opt/dunlin/", program.Replace(_folder, Seen, StringComparison.Ordinal) + "/", StringComparison.Ordinal)
            .Replace("/usr/bin/dotnet", Dotnet(), StringComparison.Ordinal)
            .Replace("%i", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using var process = Start(command, state.Replace(_folder, Seen, StringComparison.Ordinal));
        try
        {
            using var client = new HttpClient
            {
                BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
            };
            await ReadyAsync(client, process);
            Assert.Equal("<p>the page</p>", await client.GetStringAsync("/", Cancellation));
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/dunlin/v1/stats", Cancellation)).StatusCode);
            // The signal that systemd sends first.
            using var term = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
            await process
                .WaitForExitAsync(Cancellation)
                .WaitAsync(TimeSpan.FromSeconds(int.Parse(_unit["TimeoutStopSec"], CultureInfo.InvariantCulture)), Cancellation);
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
        Assert.True(File.Exists(Path.Combine(state, "dunlin.db")), string.Join(", ", Directory.EnumerateFiles(state)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// Runs a command with the unit's restrictions that an unprivileged process can apply: a read-only file system except the state
    /// directory, a private /tmp, no capabilities, its limits, its umask, and only its environment.
    /// </summary>
    private Process Start(string command, string state)
    {
        var script = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            set -e
            ulimit -n "$(ulimit -Hn)" && umask {{_unit["UMask"]}}
            mount --bind {{_folder}} {{Seen}}
            mount --bind {{state}} {{state}}
            mount -t tmpfs tmpfs /tmp
            mount -o remount,bind,ro {{Seen}}
            mount -o remount,bind,ro /
            mount -o remount,bind,rw {{state}}
            exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all {{command}}
            """
        );
        var start = new ProcessStartInfo(
            "unshare",
            [
                "--mount",
                "--propagation",
                "private",
                .. Environment.IsPrivilegedProcess ? [] : (string[])["--map-root-user"],
                "bash",
                "-c",
                script,
            ]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        var path = start.Environment["PATH"];
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        foreach (var (name, value) in _unit.Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static async Task ReadyAsync(HttpClient client, Process process)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (process.HasExited)
                Assert.Fail(
                    await process.StandardError.ReadToEndAsync(Cancellation) + await process.StandardOutput.ReadToEndAsync(Cancellation)
                );
            try
            {
                using var answer = await client.GetAsync("/healthz/ready", patience.Token);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception error) when (error is HttpRequestException or SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
            }
        }
    }

    private string Argument(string option)
    {
        var words = _unit["ExecStart"].Split(' ');
        return words[Array.IndexOf(words, option) + 1];
    }

    private static string Dotnet() => Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "/usr/bin/dotnet";

    private static async Task<(int Status, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancellation), process.StandardError.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        return (process.ExitCode, await output + await errors);
    }
}
