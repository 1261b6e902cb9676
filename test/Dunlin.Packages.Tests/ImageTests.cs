using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Packages.Tests;

/// <summary>The file system of the server image, made by the script of its Dockerfile and run in a chroot. No Docker is needed.</summary>
public sealed class ImageTests
{
    private static readonly string Text = Repository.Read("deploy/server/Dockerfile");

    [Fact]
    public async Task The_file_system_of_the_image_serves_as_an_unprivileged_user()
    {
        await using var workspace = new Workspace();
        await workspace.RunAsync(
            $"mkdir native && tar -xzf packages/dunlin-{Packed.Version}-linux-*.tar.gz --strip-components=1 -C native\n"
                + $"'{Repository.Root}/deploy/server/rootfs.sh' native image"
        );
        Assert.False(File.Exists(workspace.File("image/bin/sh")));
        var settings = Regex.Matches(Text, "Dunlin__[A-Za-z]+=[^ \n]+").Select(match => match.Value).ToList();
        Assert.Equal(3, settings.Count);
        var user = Regex.Match(Text, "^USER (?<user>.+)$", RegexOptions.Multiline).Groups["user"].Value;
        var entry = Regex.Match(Text, "^ENTRYPOINT \\[\"(?<entry>.+)\"]$", RegexOptions.Multiline).Groups["entry"].Value;
        var port = ServerProcess.FreePort();
        var environment = string.Join(' ', settings)
            .Replace("5090", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        await using var server = workspace.Start(
            "mkdir image/dev\nexec unshare --mount bash -euc 'mount --rbind /dev image/dev; exec env -i PATH=$PATH "
                + $"{environment} chroot --userspec={user} image {entry}'"
        );
        await server.WhenSeenAsync("Dunlin is at");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.Equal("ready", await client.GetStringAsync("/healthz/ready", TestContext.Current.CancellationToken));
        Assert.True(File.Exists(workspace.File("image/var/lib/dunlin/dunlin.db")));
        await server.SignalAsync("TERM");
        Assert.Equal(0, await server.WhenExitedAsync());
    }

    [Fact]
    public void Files_that_the_image_copies_exist_and_are_not_ignored()
    {
        var ignored = Repository.Read("deploy/server/Dockerfile.dockerignore");
        var copied = Regex
            .Matches(Text, "^COPY (?!--from)(?<path>[^ ]+) ", RegexOptions.Multiline)
            .Select(match => match.Groups["path"].Value)
            .ToList();
        Assert.Equal(["artifacts/native/${RUNTIME}", "deploy/server/rootfs.sh"], copied);
        Assert.True(File.Exists(Path.Combine(Repository.Root, copied[1])));
        Assert.Contains("!deploy/server/rootfs.sh\n", ignored, StringComparison.Ordinal);
        Assert.Contains("!artifacts/native/*/dunlin\n", ignored, StringComparison.Ordinal);
    }
}
