namespace Dunlin.Focus.Tests;

/// <summary>Reads files of the checkout, for tests that compare documents with code.</summary>
internal static class Repository
{
    public static string Read(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dunlin.slnx")))
                return File.ReadAllText(Path.Combine(folder.FullName, path));
        }
        throw new InvalidOperationException("Not in a checkout.");
    }
}
