using System.Globalization;

namespace Dunlin.TestKit;

/// <summary>Starts nginx with <c>deploy/nginx.conf</c>, changed only in its ports and in one header that names the node.</summary>
internal static class DeployedNginx
{
    /// <summary>The response header with the address of the node that answered.</summary>
    public const string NodeHeader = "Test-Node";

    /// <param name="nodes">The ports of the nodes.</param>
    public static async Task<NginxProcess> StartAsync(params int[] nodes)
    {
        var deployed = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "nginx.conf"));
        var servers = string.Join(
            "\n    ",
            nodes.Select(node => string.Create(CultureInfo.InvariantCulture, $"server 127.0.0.1:{node} max_fails=1 fail_timeout=5s;"))
        );
        return await NginxProcess.StartAsync(address =>
        {
            var text = Replace(deployed, "listen 80;", $"listen {address}; add_header {NodeHeader} $upstream_addr always;");
            return Replace(text, "server 127.0.0.1:5080 max_fails=1 fail_timeout=5s;", servers);
        });
    }

    private static string Replace(string text, string old, string with)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, with, StringComparison.Ordinal);
    }
}
