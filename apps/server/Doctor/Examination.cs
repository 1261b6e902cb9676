using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Dunlin.Server.Doctor;

/// <summary>The server under examination, and the connections to it. Not thread-safe.</summary>
internal sealed class Examination : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private int _connections;

    /// <param name="server">The address, with a slash at its end.</param>
    /// <param name="token">A token; null for none.</param>
    /// <param name="patience">How long an answer or the first bytes of a stream may take.</param>
    public Examination(Uri server, string? token, TimeSpan patience)
    {
        (Server, Token, Patience) = (server, token, patience);
        _handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = patience,
            ConnectCallback = ConnectAsync,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Inspect },
        };
        Http = new HttpClient(_handler, disposeHandler: false) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
    }

    public Uri Server { get; }

    public string? Token { get; }

    public TimeSpan Patience { get; }

    public HttpClient Http { get; }

    /// <summary>Gets the number of TCP connections that were opened.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Gets the certificate of the server; null without TLS.</summary>
    public X509Certificate2? Certificate { get; private set; }

    public SslPolicyErrors CertificateFaults { get; private set; }

    /// <summary>Sends a request and returns its answer after the headers.</summary>
    /// <exception cref="TimeoutException">There was no answer within <see cref="Patience"/>.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"There was no answer within {Patience.TotalSeconds:0} s.", exception);
        }
    }

    public async Task<HttpResponseMessage> GetAsync(string path, bool withToken, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, path, withToken);
        return await SendAsync(request, cancellationToken);
    }

    public HttpRequestMessage Request(HttpMethod method, string path, bool withToken)
    {
        var request = new HttpRequestMessage(method, path);
        if (Server.Scheme == Uri.UriSchemeHttps)
            (request.Version, request.VersionPolicy) = (new Version(2, 0), HttpVersionPolicy.RequestVersionOrLower);
        if (withToken && Token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return request;
    }

    public void Dispose()
    {
        Http.Dispose();
        _handler.Dispose();
        Certificate?.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _connections);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // An untrusted certificate is a finding. No request with a token is sent after it: see Diagnosis.
    private bool Inspect(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors faults)
    {
        CertificateFaults |= faults;
        if (certificate is not null && Certificate is null)
            Certificate = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return true;
    }
}
