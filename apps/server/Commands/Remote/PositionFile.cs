using System.Diagnostics;
using System.Text;
using Dunlin.Client;
using Dunlin.Journal;

namespace Dunlin.Server.Commands.Remote;

/// <summary>Keeps the position of one stream in a file. Not thread-safe.</summary>
/// <remarks>The position is saved after the event was written to the output: after a crash, events of the last second are printed
/// again.</remarks>
internal sealed class PositionFile(string path)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private StreamPosition? _last;
    private bool _isSaved = true;
    private long _savedAt;

    /// <summary>Returns the saved position; null if there is no file yet.</summary>
    public StreamPosition? Load()
    {
        if (!File.Exists(path))
            return null;
        var text = File.ReadAllText(path).Trim();
        return Position.TryParse(text, out _)
            ? new StreamPosition(text)
            : throw CommandFault.Failed($"'{path}' contains no position.", "Delete it to begin with new events.");
    }

    /// <summary>Saves a position, at most once in a second unless it is the last one.</summary>
    public void Save(StreamPosition? position, bool isLast)
    {
        if (position is not null && position != _last)
            (_last, _isSaved) = (position, false);
        if (_isSaved || _last is null || (!isLast && _savedAt != 0 && Stopwatch.GetElapsedTime(_savedAt) < Interval))
            return;
        // A crash leaves the old or the new position.
        var draft = path + ".new";
        File.WriteAllText(draft, $"{_last}\n", Encoding.ASCII);
        File.Move(draft, path, overwrite: true);
        (_isSaved, _savedAt) = (true, Stopwatch.GetTimestamp());
    }
}
