using System.Net;
using System.Net.Sockets;
using Dunlin.Outbound;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>A fetched page.</summary>
/// <param name="Address">The final address after redirects.</param>
/// <param name="Html">The decoded text.</param>
internal sealed record FetchedPage(Uri Address, string Html);

/// <summary>
/// Fetches pages whose addresses come from users. Threat: server-side request forgery. <see cref="OutboundHandler"/> checks the address of
/// each connection, so every redirect is checked in the same way. Thread-safe.
/// </summary>
internal sealed class PageFetcher : IDisposable
{
    private readonly FetchOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public PageFetcher(IOptions<FetchOptions> options, OutboundLookup lookup, TimeProvider time)
    {
        (_options, _time) = (options.Value, time);
        var handler = OutboundHandler.Create(_options.Rules, lookup);
        handler.AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate | DecompressionMethods.Brotli;
        handler.MaxResponseHeadersLength = _options.MaxHeaderKibibytes;
        handler.ConnectTimeout = _options.TimeLimit;
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
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
            // The handler may wrap exceptions of the connection.
            for (Exception? cause = error; cause is not null; cause = cause.InnerException)
            {
                if (cause is OutboundRefusedException)
                    throw new FetchException(FetchFault.AddressRefused, "The address is not public.", error);
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
}
