using Dunlin.TestKit;

namespace Dunlin.Packages.Tests.Support;

/// <summary>
/// A copy of this machine's file system in which a test may install packages: an overlay in its own mount and network namespace, which
/// ends with all its changes and processes. Needs root.
/// </summary>
internal static class Root
{
    // /dev and /proc of the namespace; the loopback address is the only one.
    private const string Enter = """
        ip link set lo up
        mount -t tmpfs tmpfs "$1"
        mkdir "$1/upper" "$1/work" "$1/root"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
        mount -t proc proc "$1/root/proc"
        mount --rbind /dev "$1/root/dev"
        exec chroot "$1/root" bash -euo pipefail "$2"
        """;

    /// <summary>Runs a shell script inside, which must succeed, and returns its output.</summary>
    public static async Task<string> RunAsync(Workspace workspace, string script)
    {
        Directory.CreateDirectory(workspace.File("mount"));
        await workspace.WriteAsync("inside.sh", script);
        await workspace.WriteAsync("enter.sh", Enter);
        return await workspace.RunAsync(
            $"unshare --mount --net --pid --fork --kill-child bash -euo pipefail enter.sh '{workspace.File("mount")}' '{workspace.File("inside.sh")}'"
        );
    }

    /// <summary>The shell blocks of a section of docs/start/install.md.</summary>
    public static List<string> Blocks(string heading)
    {
        var page = Repository.Read("docs/start/install.md");
        var begin = page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, heading);
        var end = page.IndexOf("\n## ", begin + 1, StringComparison.Ordinal);
        return Repository.Blocks(end < 0 ? page[begin..] : page[begin..end], "sh");
    }
}
