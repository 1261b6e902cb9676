using System.Net;
using System.Net.Sockets;

namespace Dunlin.Outbound;

/// <summary>Resolves the addresses of a host name. Tests replace it.</summary>
internal delegate Task<IPAddress[]> OutboundLookup(string host, CancellationToken cancellationToken);

/// <summary>The result of a request. Immutable.</summary>
/// <param name="Status">The status of the answer; 0 without an answer.</param>
/// <param name="Body">The beginning of the body.</param>
/// <param name="Fault">Why there is no answer; null if there is one.</param>
internal sealed record OutboundResult(int Status, ReadOnlyMemory<byte> Body, string? Fault)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>
/// Sends requests to URLs that users chose, such as webhooks. Thread-safe.
/// </summary>
/// <remarks>
/// Threat: server-side request forgery. The sender resolves the name, refuses it if one of its addresses is refused, and connects to the
/// checked address itself, so DNS rebinding has no effect. It follows no redirect and uses no proxy. Its answers are limited in size and
/// time.
/// </remarks>
internal sealed class OutboundSender : IDisposable
{
    private const int MaxBody = 64 * 1024;

    private readonly OutboundRules _rules;
    private readonly OutboundLookup _lookup;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public OutboundSender(OutboundRules rules, TimeProvider time, OutboundLookup? lookup = null)
    {
        (_rules, _time, _lookup) = (rules, time, lookup ?? Dns.GetHostAddressesAsync);
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                ConnectCallback = ConnectAsync,
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                Credentials = null,
                MaxResponseHeadersLength = 32,
                // No pooling: each request checks its own connection, and an abandoned answer closes it.
                PooledConnectionLifetime = TimeSpan.Zero,
                ResponseDrainTimeout = TimeSpan.Zero,
                ActivityHeadersPropagator = null,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Sends a request, and reads at most the first 64 KiB of the answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="timeLimit">The time for resolution, connection, request and answer.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled. All other faults are in the result.</exception>
    public async Task<OutboundResult> SendAsync(HttpRequestMessage request, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeLimit, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            var bytes = new byte[MaxBody];
            var length = await body.ReadAtLeastAsync(bytes, MaxBody, throwOnEndOfStream: false, both.Token);
            return new OutboundResult((int)response.StatusCode, bytes.AsMemory(0, length), null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fault = limit.IsCancellationRequested ? $"no answer within {timeLimit.TotalSeconds:0} s" : error.Message;
            return new OutboundResult(0, default, fault);
        }
    }

    public void Dispose() => _client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host.Trim('[', ']').TrimEnd('.');
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _lookup(host, cancellationToken);
        // Refuse the name if any address is refused. Otherwise the owner of the name could control which one is used.
        if (addresses.Length == 0 || addresses.Any(address => !_rules.Allows(address)))
            throw new HttpRequestException("the address is not public");
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
        throw new HttpRequestException("no connection", last);
    }
}
