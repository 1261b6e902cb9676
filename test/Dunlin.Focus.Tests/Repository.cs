namespace Dunlin.Focus.Tests;

/// <summary>Files of the checkout, for tests that compare a text with what is compiled.</summary>
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
