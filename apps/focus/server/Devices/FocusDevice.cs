namespace Dunlin.Apps.Focus.Devices;

/// <summary>A device as its owner sees it.</summary>
/// <param name="DeviceId">The device id.</param>
/// <param name="Name">The device's name.</param>
/// <param name="IsConnected">Whether it has an open stream on any node; null if a node did not answer.</param>
/// <param name="IsCurrent">Whether it sent this request.</param>
public sealed record DeviceView(string DeviceId, string Name, bool? IsConnected, bool IsCurrent);

/// <summary>Derives the first name of a device from its User-Agent.</summary>
internal static class DeviceNames
{
    private static readonly (string Mark, string Name)[] Browsers =
    [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];

    private static readonly (string Mark, string Name)[] Systems =
    [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];

    public static string Of(string? userAgent)
    {
        var browser = Find(Browsers, userAgent);
        var system = Find(Systems, userAgent);
        return (browser, system) switch
        {
            (null, null) => "Device",
            (null, _) => system,
            (_, null) => browser,
            _ => $"{browser} on {system}",
        };
    }

    private static string? Find((string Mark, string Name)[] table, string? text)
    {
        foreach (var (mark, name) in table)
        {
            if (text?.Contains(mark, StringComparison.Ordinal) == true)
                return name;
        }
        return null;
    }
}
