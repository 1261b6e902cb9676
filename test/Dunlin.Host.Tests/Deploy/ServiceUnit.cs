using Dunlin.TestKit;

namespace Dunlin.Host.Tests.Deploy;

/// <summary>Parses <c>deploy/dunlin@.service</c>: its settings in file order, by systemd.syntax(7).</summary>
internal sealed class ServiceUnit
{
    private readonly List<(string Name, string Value)> _settings = [];

    public ServiceUnit(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n').Where(line => line.Length > 0 && line[0] is not ('#' or '[')))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            _settings.Add((line[..at], line[(at + 1)..]));
        }
    }

    public string Text { get; }

    public static ServiceUnit Read() => new(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "dunlin@.service")));

    public string this[string name] => _settings.Single(setting => setting.Name == name).Value;

    /// <summary>The variables that the unit sets.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        _settings
            .Where(setting => setting.Name == "Environment")
            .SelectMany(setting => setting.Value.Split(' '))
            .ToDictionary(
                pair => pair[..pair.IndexOf('=', StringComparison.Ordinal)],
                pair => pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..],
                StringComparer.Ordinal
            );
}
