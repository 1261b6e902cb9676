using Microsoft.Extensions.FileProviders;

namespace Dunlin.Host;

/// <summary>Finds what the builds of the web part and of the documentation have left.</summary>
internal static class BuiltFolder
{
    /// <summary>Returns the folder's files, or null where it has not been built. Published, it is beside the program; in a checkout,
    /// below <c>artifacts</c>.</summary>
    /// <param name="setting">The folder that a setting names, if one does. No other is looked for then.</param>
    /// <param name="name">The folder's name.</param>
    /// <param name="page">A file that a finished build has.</param>
    public static PhysicalFileProvider? Find(string? setting, string name, string page)
    {
        var folder = setting ?? Search(name, page);
        return folder is not null && Directory.Exists(folder) ? new PhysicalFileProvider(Path.GetFullPath(folder)) : null;
    }

    private static string? Search(string name, string page)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            foreach (var candidate in (ReadOnlySpan<string>)[name, Path.Combine("artifacts", name)])
            {
                var path = Path.Combine(folder.FullName, candidate);
                if (File.Exists(Path.Combine(path, page)))
                    return path;
            }
        }
        return null;
    }
}
