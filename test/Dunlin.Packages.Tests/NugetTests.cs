using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Packages.Tests;

public sealed class NugetTests
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    [Fact]
    public void Each_library_has_readme_icon_licence_tags_and_documentation()
    {
        Assert.True(Packed.Libraries.Count >= 10);
        foreach (var name in Packed.Libraries)
        {
            using var package = Packed.Open(name + ".{0}.nupkg");
            var manifest = Packed.Manifest(package).Elements().ToLookup(element => element.Name.LocalName, element => element.Value);
            var entries = package.Entries.Select(entry => entry.FullName).ToList();
            Assert.Equal([name], manifest["id"]);
            Assert.Equal([Packed.Version], manifest["version"]);
            Assert.Equal(["MIT"], manifest["license"]);
            Assert.Contains("dunlin", manifest["tags"].Single(), StringComparison.Ordinal);
            Assert.InRange(manifest["description"].Single().Length, 40, 400);
            Assert.All(manifest["readme"].Concat(manifest["icon"]), file => Assert.Contains(file, entries));
            Assert.Equal((1, 1), (manifest["readme"].Count(), manifest["icon"].Count()));
            Assert.Contains($"lib/net10.0/{name}.dll", entries);
            Assert.Contains($"lib/net10.0/{name}.xml", entries);
        }
    }

    [Fact]
    public void Symbols_contain_the_sources_or_their_address()
    {
        foreach (var name in Packed.Libraries)
        {
            using var package = Packed.Open(name + ".{0}.snupkg");
            using var file = package.GetEntry($"lib/net10.0/{name}.pdb")!.Open();
            var (link, embedded, documents) = SourcesOf(file);
            Assert.True(link is not null || embedded == documents.Count, $"{name}: {embedded} of {documents.Count} sources");
            Assert.All(documents, document => Assert.StartsWith("/_/", document, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Symbols_name_the_repository_whose_address_is_given()
    {
        await using var workspace = new Workspace();
        var output = workspace.File("output");
        await workspace.RunAsync(
            $"dotnet pack '{Repository.Root}/src/Dunlin.Core' -c Release -o '{output}' --nologo -v quiet -p:RunAnalyzers=false"
                + $" -p:ContinuousIntegrationBuild=true -p:ArtifactsPath='{Repository.Root}/artifacts/pack-linked'"
                + " -p:DunlinRepositoryUrl=https://git.example.org/team/dunlin"
        );
        using var package = await System.IO.Compression.ZipFile.OpenReadAsync(Path.Combine(output, $"Dunlin.Core.{Packed.Version}.nupkg"));
        var repository = Packed.Manifest(package).Elements().Single(element => element.Name.LocalName == "repository");
        var commit = repository.Attribute("commit")!.Value;
        Assert.Equal("https://git.example.org/team/dunlin", repository.Attribute("url")!.Value);
        using var symbols = await System.IO.Compression.ZipFile.OpenReadAsync(Path.Combine(output, $"Dunlin.Core.{Packed.Version}.snupkg"));
        await using var file = await symbols.GetEntry("lib/net10.0/Dunlin.Core.pdb")!.OpenAsync();
        var link = SourcesOf(file).Link!;
        using var json = JsonDocument.Parse(link);
        Assert.Equal(
            $"https://git.example.org/team/dunlin/raw/{commit}/*",
            json.RootElement.GetProperty("documents").GetProperty("/_/*").GetString()
        );
    }

    /// <summary>The generator of log methods orders those of several files at random, which makes builds differ.</summary>
    [Fact]
    public void Log_methods_of_a_class_are_in_one_file()
    {
        var files =
            from path in Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            where File.ReadAllText(path).Contains("[LoggerMessage(", StringComparison.Ordinal)
            group path by Path.Combine(Path.GetDirectoryName(path)!, Path.GetFileName(path).Split('.')[0]) into type
            where type.Count() > 1
            select string.Join(", ", type);
        Assert.Empty(files);
    }

    private static (string? Link, int Embedded, List<string> Documents) SourcesOf(Stream file)
    {
        var memory = new MemoryStream();
        file.CopyTo(memory);
        memory.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(memory);
        var reader = provider.GetMetadataReader();
        string? link = null;
        var embedded = 0;
        foreach (var handle in reader.CustomDebugInformation)
        {
            var information = reader.GetCustomDebugInformation(handle);
            var kind = reader.GetGuid(information.Kind);
            if (kind == SourceLink)
                link = Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value));
            else if (kind == EmbeddedSource)
                embedded++;
        }
        return (link, embedded, [.. reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name))]);
    }
}
