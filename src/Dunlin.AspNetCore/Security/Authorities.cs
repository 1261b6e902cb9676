using System.Net;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Refreshes the keys of all issuers with a <see cref="TrustedIssuer.Authority"/>. The host starts even if an issuer is
/// unreachable.</summary>
internal sealed class Authorities : IHostedService
{
    /// <summary>The name of the <see cref="HttpClient"/> that fetches keys.</summary>
    public const string ClientName = "Dunlin.Security.Authorities";

    // For one document. A request with a token of an unknown key waits for two documents at most.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const int MaxDocumentBytes = 512 * 1024;

    private readonly Dictionary<string, AuthorityKeys> _authorities;
    private readonly IReadOnlyList<BackgroundLoop> _loops;

    public Authorities(
        IOptions<AccessTokenOptions> options,
        IHttpClientFactory clients,
        TimeProvider time,
        ILogger<Authorities> logger,
        BackgroundLoops? loops = null
    )
    {
        _authorities = options
            .Value.TrustedIssuers.Where(issuer => issuer.Authority is not null)
            .ToDictionary(
                issuer => issuer.Issuer,
                issuer => new AuthorityKeys(issuer, [.. issuer.ReadKeys()], () => clients.CreateClient(ClientName), time, logger),
                StringComparer.Ordinal
            );
        _loops =
        [
            .. _authorities.Select(authority => new BackgroundLoop(
                $"keys of issuer {authority.Key}",
                authority.Value.RunAsync,
                time,
                logger,
                registry: loops
            )),
        ];
    }

    /// <summary>Returns the keys of an issuer, or null if the issuer has no authority.</summary>
    public AuthorityKeys? Find(string issuer) => _authorities.GetValueOrDefault(issuer);

    public static void AddClient(IServiceCollection services) =>
        services
            .AddHttpClient(
                ClientName,
                static client =>
                {
                    client.Timeout = Timeout;
                    client.MaxResponseContentBufferSize = MaxDocumentBytes;
                }
            )
            .RemoveAllLoggers()
            // Redirects are off: a redirect could lead from https to an address that is not configured.
            .ConfigurePrimaryHttpMessageHandler(static () =>
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    AutomaticDecompression = DecompressionMethods.None,
                    ConnectTimeout = Timeout,
                }
            );

    // The first fetch is not awaited, because an unreachable issuer must not delay the start.
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var loop in _loops)
            loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_loops.Select(loop => loop.StopAsync(cancellationToken)));
}
