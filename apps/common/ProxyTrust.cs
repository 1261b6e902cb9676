using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;

namespace Dunlin.Apps.Common;

/// <summary>
/// The setting <c>Dunlin:TrustedProxies</c>: comma-separated addresses or networks of proxies. The host accepts <c>X-Forwarded-For</c> and
/// <c>X-Forwarded-Proto</c> from these proxies only. Default: none, because any client could otherwise forge its address and evade limits
/// by address.
/// </summary>
public static class ProxyTrust
{
    /// <summary>Trusts the proxies in the configuration.</summary>
    /// <exception cref="InvalidOperationException">An entry is neither an address nor a network.</exception>
    public static void UseTrustedProxies(this WebApplication app)
    {
        var names = (app.Configuration["Dunlin:TrustedProxies"] ?? "").Split(
            ',',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
        );
        if (names.Length == 0)
            return;
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var name in names)
        {
            if (AddressText.TryParse(name, out var address))
                options.KnownProxies.Add(address);
            else if (System.Net.IPNetwork.TryParse(name, out var network))
                options.KnownIPNetworks.Add(network);
            else
                throw new InvalidOperationException(
                    $"Dunlin:TrustedProxies: '{name}' is not an address or network. Write 10.0.0.1 or 10.0.0.0/8."
                );
        }
        app.UseForwardedHeaders(options);
    }
}
