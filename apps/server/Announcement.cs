using Dunlin.Security;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Dunlin.Server;

/// <summary>Prints addresses, storage and trusted token issuers when the server is ready.</summary>
internal sealed class Announcement(
    ServerSettings settings,
    IHostApplicationLifetime lifetime,
    IServer server,
    IOptions<AccessTokenOptions> tokens,
    IOptions<OriginOptions> origins
) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            Console.WriteLine($"Dunlin is at {server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()}");
            foreach (var line in Describe(settings, tokens.Value, origins.Value))
                Console.WriteLine(line);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns one line for each important setting. Contains no secrets.</summary>
    public static IEnumerable<string> Describe(ServerSettings settings, AccessTokenOptions tokens, OriginOptions origins)
    {
        yield return settings.Store is null
            ? $"  store    SQLite, {Path.Combine(settings.Data, "dunlin.db")}"
            : $"  store    PostgreSQL{(settings.Redis is null ? "" : $", Redis at {settings.Redis}")}";
        var key =
            tokens.SigningKey is not null ? "the configured key"
            : settings.Store is not null ? "a key kept in the database"
            : tokens.SigningKeyFile;
        yield return $"  tokens   HS256 with {key}; issuer '{tokens.Issuer}', audience '{tokens.Audience}'";
        foreach (var issuer in tokens.TrustedIssuers)
            yield return $"           and of '{issuer.Issuer}', audience '{issuer.Audience}', {KeysOf(issuer)}";
        yield return origins.AllowedOrigins.Count == 0
            ? "  origins  no other (no CORS headers)"
            : $"  origins  {string.Join(", ", origins.AllowedOrigins)}{(origins.AllowCredentials ? "" : " without credentials")}";
    }

    private static string KeysOf(TrustedIssuer issuer)
    {
        var count = issuer.Keys.Count + issuer.KeyFiles.Count;
        return issuer.Authority is null ? $"{count} key(s)" : $"keys of {issuer.Authority}{(count == 0 ? "" : $" and {count} more")}";
    }
}
