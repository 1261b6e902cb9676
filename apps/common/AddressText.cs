using System.Net;
using System.Net.Sockets;

namespace Dunlin.Apps.Common;

/// <summary>Parses IP addresses in settings.</summary>
public static class AddressText
{
    private const int DotsOfIPv4 = 3;

    /// <summary>
    /// Parses an address in its usual notation. Rejects <c>127.1</c> and <c>8080</c>, which
    /// <see cref="IPAddress.TryParse(string, out IPAddress)"/> accepts but which are typing errors in a setting.
    /// </summary>
    public static bool TryParse(string text, out IPAddress address) =>
        IPAddress.TryParse(text, out address!)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || text.Count(c => c == '.') == DotsOfIPv4);
}
