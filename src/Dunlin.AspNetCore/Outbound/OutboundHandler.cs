using System.Net;
using System.Net.Sockets;

namespace Dunlin.Outbound;

/// <summary>Resolves the addresses of a host name. Replace it in tests.</summary>
/// <param name="host">The name, without brackets and without a trailing dot.</param>
/// <param name="cancellationToken">Cancels the resolution.</param>
/// <returns>The addresses; none if the name does not exist.</returns>
public delegate Task<IPAddress[]> OutboundLookup(string host, CancellationToken cancellationToken);

/// <summary>Creates HTTP handlers for requests whose URL a user chose, such as webhooks and link previews. Thread-safe.</summary>
/// <remarks>
/// Threat: server-side request forgery. The handler resolves the name, refuses it if one of its addresses is refused, and connects to the
/// checked address itself, so DNS rebinding has no effect. It follows no redirect, sends no cookie and uses no proxy.
/// </remarks>
/// <example>
/// <code>
/// using var client = new HttpClient(OutboundHandler.Create(new OutboundRules([])));
/// </code>
/// </example>
public static class OutboundHandler
{
    /// <summary>Creates a handler. You may set further properties, such as the decompression, before its first request.</summary>
    /// <param name="rules">The rules of addresses.</param>
    /// <param name="lookup">Resolves names. Default: null, which means the resolver of the operating system.</param>
    /// <returns>The handler. Its requests fail with an <see cref="HttpRequestException"/>. Where the rules refuse an address, this
    /// exception or one of its inner exceptions is an <see cref="OutboundRefusedException"/>.</returns>
    public static SocketsHttpHandler Create(OutboundRules rules, OutboundLookup? lookup = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        lookup ??= Dns.GetHostAddressesAsync;
        return new SocketsHttpHandler
        {
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, rules, lookup, cancellationToken),
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            Credentials = null,
            PreAuthenticate = false,
            MaxResponseHeadersLength = 32,
            // No pooling: each request opens and checks its own connection, and an abandoned response closes it.
            PooledConnectionLifetime = TimeSpan.Zero,
            ResponseDrainTimeout = TimeSpan.Zero,
            ActivityHeadersPropagator = null,
        };
    }

    private static async ValueTask<Stream> ConnectAsync(
        DnsEndPoint target,
        OutboundRules rules,
        OutboundLookup lookup,
        CancellationToken cancellationToken
    )
    {
        var host = target.Host.Trim('[', ']').TrimEnd('.');
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await lookup(host, cancellationToken);
        // Refuse the name if any address is refused. Otherwise the owner of the name could control which one is used.
        if (!addresses.All(rules.Allows))
            throw new OutboundRefusedException();
        Exception? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, target.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException error)
            {
                socket.Dispose();
                last = error;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new HttpRequestException(last is null ? "the host has no address" : "no connection", last);
    }
}

/// <summary>A host has an address that <see cref="OutboundRules"/> refuse.</summary>
public sealed class OutboundRefusedException : HttpRequestException
{
    internal OutboundRefusedException()
        : base("the address is not public") { }
}
