using Dunlin.TestKit.Servers;

namespace Dunlin.Worlds.Tests.Faults;

/// <summary>A small file system in memory, mounted over a folder, that a test can fill. Needs root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Chunk = 64 * 1024;

    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Ballast => Path.Combine(_folder, "ballast");

    /// <summary>Mounts a disk over a folder, and keeps the files, the owner and the mode of the folder.</summary>
    /// <param name="folder">The folder. It is created if it does not exist.</param>
    /// <param name="megabytes">The size of the disk.</param>
    /// <exception cref="InvalidOperationException">The user may not mount.</exception>
    public static async Task<SmallDisk> MountAsync(string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        var script = $"""
            set -e
            cp -a '{folder}' '{folder}.moved'
            mount -t tmpfs -o size={megabytes}m dunlin-test '{folder}'
            chown --reference='{folder}.moved' '{folder}'
            chmod --reference='{folder}.moved' '{folder}'
            cp -a '{folder}.moved/.' '{folder}'
            rm -r '{folder}.moved'
            """;
        await ServerProcess.RunAsync("/bin/bash", ["-c", script]);
        return new SmallDisk(folder);
    }

    /// <summary>Writes a file until the disk has no space left.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        foreach (var size in (int[])[Chunk, 512])
        {
            try
            {
                for (var some = new byte[size]; ; )
                    file.Write(some);
            }
            catch (IOException)
            {
                // The disk is full; smaller writes may still fit.
            }
        }
    }

    /// <summary>Deletes the file of <see cref="Fill"/>.</summary>
    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync() => await ServerProcess.RunAsync("/bin/umount", ["-l", _folder]);
}
