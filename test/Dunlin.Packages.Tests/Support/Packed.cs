using System.IO.Compression;
using System.Xml.Linq;
using Dunlin.TestKit;

namespace Dunlin.Packages.Tests.Support;

/// <summary>The packages that <c>./pack.sh</c> made. Tests read them and never change them.</summary>
internal static class Packed
{
    /// <summary>The folder of the packages.</summary>
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("DUNLIN_PACKAGES") ?? Path.Combine(Repository.Root, "artifacts/packages");

    public static string Version { get; } =
        XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>The names of all projects in <c>src</c>.</summary>
    public static IReadOnlyList<string> Libraries { get; } =
    [
        .. Directory
            .GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Returns the path of a package, by its file name with <c>{0}</c> for the version.</summary>
    public static string File(string name)
    {
        var path = Path.Combine(Folder, name.Replace("{0}", Version, StringComparison.Ordinal));
        Assert.True(System.IO.File.Exists(path), $"'{path}' does not exist. Run ./pack.sh before these tests.");
        return path;
    }

    public static ZipArchive Open(string name) => ZipFile.OpenRead(File(name));

    /// <summary>Reads the manifest of a NuGet package.</summary>
    public static XElement Manifest(ZipArchive package)
    {
        using var stream = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream).Root!.Elements().Single();
    }
}
