using System.Globalization;

namespace Dunlin.Worlds.Tests.Faults;

/// <summary>
/// The wall clock of another process, with libfaketime. Steps take effect at once. The monotonic clock stays real, as on a machine whose
/// clock is set.
/// </summary>
internal sealed class FakeClock : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    /// <param name="settings">The environment of the process.</param>
    /// <exception cref="InvalidOperationException">libfaketime is not installed.</exception>
    public FakeClock(Dictionary<string, string> settings)
    {
        settings["LD_PRELOAD"] =
            Directory
                .EnumerateDirectories("/usr/lib", "*-linux-gnu")
                .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
                .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("libfaketime is not installed. ./test.sh installs it; otherwise install 'faketime'.");
        settings["FAKETIME_TIMESTAMP_FILE"] = _file;
        settings["FAKETIME_NO_CACHE"] = "1";
        settings["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        Set(TimeSpan.Zero);
    }

    /// <summary>Sets the clock to the real time plus an offset.</summary>
    public void Set(TimeSpan offset)
    {
        // A rename, because a reader must not see a part of the text.
        var next = _file + ".next";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{offset.TotalSeconds:+0.###;-0.###;+0}\n"));
        File.Move(next, _file, overwrite: true);
    }

    public void Dispose() => File.Delete(_file);
}
