using System.Net;
using Dunlin.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Keeps the keys of all issuers with a <see cref="TrustedIssuer.Authority"/> fresh. The host starts although an issuer is
/// down.</summary>
internal sealed class Authorities : IHostedService
{
    /// <summary>Name of the <see cref="HttpClient"/> that fetches keys.</summary>
    public const string ClientName = "Dunlin.Security.Authorities";

    // For one document. A request with a token of an unknown key waits for two at most.
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

    /// <summary>The keys of an issuer; null where it has no authority.</summary>
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
            // A redirect could lead from https to an address that nobody has configured.
            .ConfigurePrimaryHttpMessageHandler(static () =>
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    AutomaticDecompression = DecompressionMethods.None,
                    ConnectTimeout = Timeout,
                }
            );

    // Not awaited: an issuer that is down must not hold up the start.
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var loop in _loops)
            loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_loops.Select(loop => loop.StopAsync(cancellationToken)));
}
