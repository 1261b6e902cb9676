using System.Net;
using System.Net.Sockets;

namespace Dunlin.Apps.Common;

/// <summary>Reads IP addresses of settings.</summary>
public static class AddressText
{
    private const int DotsOfIPv4 = 3;

    /// <summary>Reads an address in its usual form. <see cref="IPAddress.TryParse(string, out IPAddress)"/> also takes <c>127.1</c> and
    /// <c>8080</c>, which somebody who mistypes a setting does not mean.</summary>
    public static bool TryParse(string text, out IPAddress address) =>
        IPAddress.TryParse(text, out address!)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || text.Count(c => c == '.') == DotsOfIPv4);
}
