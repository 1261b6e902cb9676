using System.Security.Cryptography;
using System.Text;

namespace Dunlin.Client;

/// <summary>Keeps each position in a file of its own. Thread-safe. Two processes must not use one folder for the same
/// subscription.</summary>
/// <remarks>A save writes a temporary file, flushes it to the disk and renames it over the old one.</remarks>
public sealed class FilePositionStore : IPositionStore
{
    private const int MaxPosition = 1024;

    private readonly string _folder;
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Creates a store, and the folder if it does not exist.</summary>
    /// <param name="folder">The folder. Keep it on a local disk.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="IOException">The folder could not be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not create the folder.</exception>
    public FilePositionStore(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _folder = Directory.CreateDirectory(folder).FullName;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The file contains no position: delete it to start with new events.</exception>
    public async ValueTask<StreamPosition?> LoadAsync(string name, CancellationToken cancellationToken)
    {
        var file = FileOf(name);
        if (!File.Exists(file))
            return null;
        var text = (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).TrimEnd('\n');
        if (text.Length is 0 or > MaxPosition || !StreamPosition.IsHeaderSafe(text))
            throw new InvalidDataException($"'{file}' contains no position. Delete it to start with new events.");
        return new StreamPosition(text);
    }

    /// <inheritdoc/>
    public async ValueTask SaveAsync(string name, StreamPosition position, CancellationToken cancellationToken)
    {
        var file = FileOf(name);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var draft = file + ".new";
            var stream = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            await using (stream.ConfigureAwait(false))
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(position + "\n"), cancellationToken).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            File.Move(draft, file, overwrite: true);
        }
        finally
        {
            _writing.Release();
        }
    }

    // A name may contain any character. The readable part helps an operator, the hash keeps names apart.
    private string FileOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var readable = string.Concat(name.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 8));
        return Path.Combine(_folder, $"{readable}.{hash}.position");
    }
}
