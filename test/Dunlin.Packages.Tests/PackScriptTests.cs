using System.IO.Compression;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;
using Mono.Cecil;

namespace Dunlin.Packages.Tests;

/// <summary>Runs <c>pack.sh</c> itself. One class, because two runs would use the same build folder.</summary>
public sealed class PackScriptTests
{
    private static readonly string Script = Path.Combine(Repository.Root, "pack.sh");

    [Fact]
    public async Task Checksums_name_every_file_of_the_folder()
    {
        await using var workspace = new Workspace();
        await workspace.RunAsync("cd packages && sha256sum --quiet --check SHA256SUMS");
        var listed = (await File.ReadAllLinesAsync(Packed.File("SHA256SUMS"))).Select(line => line.Split("  ", 2)[1]);
        var files = Directory.GetFiles(Packed.Folder).Select(path => Path.GetFileName(path)).Where(name => name != "SHA256SUMS");
        Assert.Equal(files.Order(StringComparer.Ordinal), listed);
    }

    [Theory]
    [InlineData("--only nuget,rpm", "'rpm' is not a part. Parts: nuget npm tool templates binary deb chart.")]
    [InlineData("--baseline /nowhere", "'/nowhere' holds no .nupkg.")]
    [InlineData("--only", "--only needs a value.")]
    [InlineData("--all", "--only nuget,npm")]
    public async Task An_invalid_option_is_refused_with_the_reason(string options, string reason)
    {
        await using var workspace = new Workspace();
        var (code, output) = await workspace.TryAsync($"'{Script}' {options}");
        Assert.NotEqual(0, code);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_member_missing_since_the_baseline_is_refused()
    {
        await using var workspace = new Workspace { IsIsolated = false };
        Directory.CreateDirectory(workspace.File("earlier"));
        var name = $"Dunlin.Relational.{Packed.Version}.nupkg";
        File.Copy(Packed.File(name), workspace.File("earlier/" + name));
        AddMethod(workspace.File("earlier/" + name), "Dunlin.Relational", "StoreMove", "Removed");

        var (code, output) = await workspace.TryAsync($"'{Script}' --only nuget --output made --baseline earlier");

        Assert.NotEqual(0, code);
        Assert.Contains("CP0002", output, StringComparison.Ordinal);
        Assert.Contains("Dunlin.Relational.StoreMove.Removed()", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_build_gives_equal_files_and_has_all_public_members()
    {
        await using var workspace = new Workspace { IsIsolated = false };
        Directory.CreateDirectory(workspace.File("earlier"));
        foreach (var package in Directory.GetFiles(Packed.Folder, "Dunlin.*.nupkg"))
            File.Copy(package, workspace.File("earlier/" + Path.GetFileName(package)));
        foreach (var folder in new[] { "bin", "obj" })
            Directory.Delete(Path.Combine(Repository.Root, "artifacts/pack", folder), recursive: true);
        await workspace.RunAsync($"'{Script}' --only nuget,tool,npm --output again --baseline earlier");
        var again = await File.ReadAllLinesAsync(workspace.File("again/SHA256SUMS"));
        Assert.Equal((2 * Packed.Libraries.Count) + 2 + 1, again.Count(line => !line.EndsWith(".cdx.json", StringComparison.Ordinal)));
        var first = await File.ReadAllLinesAsync(Packed.File("SHA256SUMS"));
        Assert.Empty(again.Except(first, StringComparer.Ordinal).Select(static line => line.Split(' ')[^1]));
    }

    // Makes an earlier version of a package, which has one public method more than the current one.
    private static void AddMethod(string package, string assembly, string type, string method)
    {
        using var archive = ZipFile.Open(package, ZipArchiveMode.Update);
        var path = $"lib/net10.0/{assembly}.dll";
        var bytes = new MemoryStream();
        using (var old = archive.GetEntry(path)!.Open())
            old.CopyTo(bytes);
        bytes.Position = 0;
        using var module = ModuleDefinition.ReadModule(bytes);
        var added = new MethodDefinition(method, MethodAttributes.Public | MethodAttributes.Static, module.TypeSystem.Void);
        added.Body.GetILProcessor().Emit(Mono.Cecil.Cil.OpCodes.Ret);
        module.GetType($"{assembly}.{type}").Methods.Add(added);
        archive.GetEntry(path)!.Delete();
        using var changed = archive.CreateEntry(path).Open();
        var written = new MemoryStream();
        module.Write(written);
        written.WriteTo(changed);
    }
}
