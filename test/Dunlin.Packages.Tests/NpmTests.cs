using Dunlin.Packages.Tests.Support;

namespace Dunlin.Packages.Tests;

public sealed class NpmTests
{
    [Fact]
    public async Task The_client_installs_from_its_tarball_without_dependencies()
    {
        await using var workspace = new Workspace();
        await workspace.WriteAsync("package.json", """{ "type": "module" }""");
        var tarball = $"packages/dunlin-client-{Packed.Version}.tgz";
        await workspace.RunAsync($"npm install --offline --no-audit --no-fund --omit=peer ./{tarball}");
        Assert.Equal(["@dunlin"], Directory.GetDirectories(workspace.File("node_modules")).Select(path => Path.GetFileName(path)));
        await workspace.WriteAsync(
            "use.js",
            """
            import { Client, statusWord } from '@dunlin/client';
            console.log(typeof Client, typeof statusWord, typeof new Client({ base: 'http://127.0.0.1:9' }).connection);
            """
        );
        Assert.Equal("function function function", (await workspace.RunAsync("node use.js")).Trim());
    }
}
