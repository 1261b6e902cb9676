using System.Globalization;
using System.Text;

namespace Dunlin.Client.Streams;

/// <summary>The address of a stream.</summary>
/// <param name="Path">Path and query.</param>
/// <param name="Form">The topics as a form body. Null for a GET.</param>
/// <param name="AwaitsHello">Whether the stream becomes live only at its hello, as streams of the engine do.</param>
internal sealed record StreamTarget(string Path, string? Form, bool AwaitsHello)
{
    /// <summary>The server's limit.</summary>
    public const int MaxTopics = 64;

    // Servers and proxies may refuse longer request lines.
    private const int MaxPath = 2000;

    private const string Engine = "/dunlin/v1/events";

    /// <summary>Returns the path and query of a stream, or of a long poll that waits for some seconds.</summary>
    public string PathOf(int? wait) =>
        wait is { } seconds
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{Path}{(Path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}wait={seconds}"
            )
            : Path;

    public static StreamTarget OfTopics(IEnumerable<string> topics, SubscribeOptions options)
    {
        var names = topics.ToList();
        if (names.Count is 0 or > MaxTopics)
            throw new ArgumentException($"A subscription has 1 to {MaxTopics} topics, not {names.Count}. Use a pattern.", nameof(topics));
        if (names.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A topic is empty.", nameof(topics));
        var list = string.Join('&', names.Select(static topic => "topic=" + Uri.EscapeDataString(topic)));
        var flags = new StringBuilder();
        if (options.Presence)
            flags.Append("&presence=true");
        if (options.Conflate)
            flags.Append("&conflate=true");
        if (!options.Echo)
            flags.Append("&echo=false");
        return list.Length + flags.Length > MaxPath
            ? new StreamTarget($"{Engine}/subscribe{(flags.Length > 0 ? "?" + flags.ToString(1, flags.Length - 1) : "")}", list, true)
            : new StreamTarget($"{Engine}?{list}{flags}", null, true);
    }
}
