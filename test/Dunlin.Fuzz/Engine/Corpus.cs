using System.Security.Cryptography;
using Dunlin.Fuzz.Coverage;

namespace Dunlin.Fuzz.Engine;

/// <summary>The stored inputs of one target: files of a folder. Files whose names begin with <c>fault-</c> once showed a fault.</summary>
internal sealed class Corpus(string folder)
{
    private const string Fault = "fault-";
    private const int MaxFiles = 48;

    /// <summary>Returns the inputs: those that once failed first, then the others, shortest first.</summary>
    public IEnumerable<byte[]> Read() =>
        Directory.Exists(folder)
            ? Directory
                .EnumerateFiles(folder)
                .Select(static file => new FileInfo(file))
                .OrderByDescending(static file => file.Name.StartsWith(Fault, StringComparison.Ordinal))
                .ThenBy(static file => file.Length)
                .ThenBy(static file => file.Name, StringComparer.Ordinal)
                .Select(static file => File.ReadAllBytes(file.FullName))
            : [];

    /// <summary>Adds the fewest of the inputs that reach what the stored ones do not. Deletes nothing.</summary>
    /// <returns>The number of new files.</returns>
    public async Task<int> AddAsync(FuzzTarget target, IEnumerable<byte[]> inputs, int maxBytes)
    {
        var map = CoverageMap.Load();
        foreach (var input in Read())
        {
            await FuzzRunner.FaultOfAsync(target, input);
            map.Add();
        }
        Directory.CreateDirectory(folder);
        var left = maxBytes - (int)new DirectoryInfo(folder).EnumerateFiles().Sum(static file => file.Length);
        var files = Directory.GetFiles(folder).Length;
        var added = 0;
        foreach (var input in inputs.OrderBy(static input => input.Length))
        {
            var reached = map.Reached;
            if (files + added >= MaxFiles || input.Length > left || await FuzzRunner.FaultOfAsync(target, input) is not null)
                continue;
            map.Add();
            // Other numbers of executions of known blocks are not worth a file.
            if (map.Reached == reached)
                continue;
            await File.WriteAllBytesAsync(Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 6))), input);
            (left, added) = (left - input.Length, added + 1);
        }
        return added;
    }
}
