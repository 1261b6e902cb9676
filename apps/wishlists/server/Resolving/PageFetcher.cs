using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Resolves the addresses of a host name. Tests replace it.</summary>
internal delegate Task<IPAddress[]> HostLookup(string host, CancellationToken cancellationToken);

/// <summary>A fetched page.</summary>
/// <param name="Address">The final address after redirects.</param>
/// <param name="Html">The decoded text.</param>
internal sealed record FetchedPage(Uri Address, string Html);

/// <summary>
/// Fetches pages whose addresses come from users. Threat: server-side request forgery. The fetcher resolves the name, refuses it if any of
/// its addresses may not be fetched, and connects to the checked address itself. So DNS rebinding has no effect, and every redirect is
/// checked in the same way. Thread-safe.
/// </summary>
internal sealed class PageFetcher : IDisposable
{
    private readonly FetchOptions _options;
    private readonly HostLookup _lookup;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public PageFetcher(IOptions<FetchOptions> options, HostLookup lookup, TimeProvider time)
    {
        (_options, _lookup, _time) = (options.Value, lookup, time);
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                ConnectCallback = ConnectAsync,
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                Credentials = null,
                PreAuthenticate = false,
                AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate | DecompressionMethods.Brotli,
                MaxResponseHeadersLength = _options.MaxHeaderKibibytes,
                ConnectTimeout = _options.TimeLimit,
                // No pooling: each request opens and checks its own connection, and an abandoned response closes it.
                PooledConnectionLifetime = TimeSpan.Zero,
                ResponseDrainTimeout = TimeSpan.Zero,
                ActivityHeadersPropagator = null,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Fetches a page.</summary>
    /// <exception cref="FetchException">The page cannot be fetched; the fault names the reason.</exception>
    public async Task<FetchedPage> FetchAsync(Uri address, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.TimeLimit, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await FollowAsync(address, both.Token);
        }
        catch (Exception error) when (error is not FetchException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The handler wraps exceptions of the connect callback.
            for (var cause = error.InnerException; cause is not null; cause = cause.InnerException)
            {
                if (cause is FetchException refused)
                    throw refused;
            }
            if (limit.IsCancellationRequested)
                throw new FetchException(FetchFault.TooSlow, $"The page took longer than {_options.TimeLimit.TotalSeconds:0} s.", error);
            if (error is HttpRequestException or IOException or SocketException or InvalidDataException or OperationCanceledException)
                throw new FetchException(FetchFault.Unreachable, "The site cannot be reached.", error);
            throw;
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<FetchedPage> FollowAsync(Uri address, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            PageAddress.Require(address, _options);
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.UserAgent.ParseAdd(_options.UserAgent);
            request.Headers.Accept.ParseAdd("text/html, application/xhtml+xml;q=0.9");
            request.Headers.AcceptLanguage.ParseAdd("en, *;q=0.5");
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (RedirectOf(response) is { } next)
            {
                if (redirects >= _options.MaxRedirects)
                    throw new FetchException(FetchFault.TooManyRedirects, $"The page has more than {_options.MaxRedirects} redirects.");
                address = new Uri(address, next);
                continue;
            }
            var type = ContentType.Of(response.Content.Headers);
            RequirePage(response, type);
            return new FetchedPage(address, PageText.Decode(await ReadAsync(response, cancellationToken), type.Charset));
        }
    }

    private static Uri? RedirectOf(HttpResponseMessage response) =>
        response.StatusCode
            is HttpStatusCode.MovedPermanently
                or HttpStatusCode.Found
                or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect
                or HttpStatusCode.PermanentRedirect
            ? response.Headers.Location ?? throw new FetchException(FetchFault.NotAPage, "The redirect has no valid address.")
            : null;

    private static void RequirePage(HttpResponseMessage response, ContentType type)
    {
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500)
            throw new FetchException(FetchFault.SiteFailed, $"The site answered {(int)response.StatusCode}.");
        if (response.StatusCode != HttpStatusCode.OK)
            throw new FetchException(FetchFault.Refused, $"The site answered {(int)response.StatusCode}.");
        if (!type.IsHtml)
            throw new FetchException(FetchFault.NotAPage, "The address does not lead to a page.");
        // The handler removes each encoding that it decompresses.
        if (response.Content.Headers.ContentEncoding.Any(static name => !name.Equals("identity", StringComparison.OrdinalIgnoreCase)))
            throw new FetchException(FetchFault.Unreadable, "The page has a compression that is not supported.");
    }

    // Truncates a longer page instead of refusing it, because its facts are in the head. The limit counts decompressed bytes.
    private async Task<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = new byte[Math.Min(64 * 1024, _options.MaxBytes)];
        var length = 0;
        while (true)
        {
            if (length == bytes.Length)
            {
                if (length >= _options.MaxBytes)
                    return bytes;
                Array.Resize(ref bytes, Math.Min(bytes.Length * 2, _options.MaxBytes));
            }
            var read = await ReadAsync(body, bytes.AsMemory(length), cancellationToken);
            if (read == 0)
                return bytes.AsMemory(0, length);
            length += read;
        }
    }

    private static async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception error) when (error is InvalidDataException or InvalidOperationException)
        {
            // Deflate throws InvalidDataException and Brotli InvalidOperationException.
            throw new FetchException(FetchFault.Unreadable, "The compressed page is damaged.", error);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await AddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        // Refuse the name if any address is refused. Otherwise the owner of the name could control which one is used.
        if (addresses.FirstOrDefault(address => !_options.Allows(address)) is not null)
            throw new FetchException(FetchFault.AddressRefused, "The address is not public.");
        Exception? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), cancellationToken);
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
        throw new FetchException(FetchFault.Unreachable, "The site cannot be reached.", last);
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        host = host.Trim('[', ']').TrimEnd('.');
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        var addresses = await _lookup(host, cancellationToken);
        return addresses.Length > 0 ? addresses : throw new FetchException(FetchFault.Unreachable, "The site cannot be found.");
    }
}
