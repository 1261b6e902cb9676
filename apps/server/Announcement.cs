using Dunlin.DurableStreams.Hosting;
using Dunlin.Mercure;
using Dunlin.Security;
using Dunlin.Yjs;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Dunlin.Server;

/// <summary>Prints addresses, storage, trusted token issuers and what to try next when the server is ready.</summary>
internal sealed class Announcement(
    ServerSettings settings,
    IHostApplicationLifetime lifetime,
    IServer server,
    IOptions<AccessTokenOptions> tokens,
    IOptions<OriginOptions> origins,
    IServiceProvider services
) : IHostedService
{
    private const string DefaultAddress = "http://127.0.0.1:5090";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
            Console.WriteLine($"Dunlin is at {address}");
            foreach (var line in Describe(settings, tokens.Value, origins.Value))
                Console.WriteLine(line);
            if (DescribeMercure(services) is { } mercure)
                Console.WriteLine(mercure);
            if (DescribeStreams(services) is { } streams)
                Console.WriteLine(streams);
            if (DescribeYjs(services) is { } yjs)
                Console.WriteLine(yjs);
            foreach (var line in NextSteps(settings, tokens.Value, address))
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

    /// <summary>Returns commands and addresses to try next, without colours. Contains no secrets.</summary>
    /// <param name="settings">The settings of the server.</param>
    /// <param name="tokens">The options of its tokens.</param>
    /// <param name="listening">The address that the server listens on.</param>
    public static IEnumerable<string> NextSteps(ServerSettings settings, AccessTokenOptions tokens, string? listening)
    {
        var address = Reachable(listening ?? $"http://{settings.Address}:{settings.Port}");
        var key = KeyArguments(settings);
        yield return "Try next, in another shell in this folder:";
        if (settings.Store is not null && tokens.SigningKey is null)
        {
            yield return "  a token    the key is in the database: set Dunlin__Tokens__SigningKey to make tokens with 'dunlin token',";
            yield return "             or sign them in your back end, and set TOKEN and DUNLIN_TOKEN";
        }
        else
        {
            if (tokens.SigningKey is not null && settings.File is null)
                yield return "  the key    set Dunlin__Tokens__SigningKey there as here";
            yield return $"  a token    TOKEN=$(dunlin token --subject me --role admin --subscribe '**' --publish '**'{key})";
        }
        yield return $"  inspector  open {address}/dunlin/inspect/ and paste a token of an administrator";
        yield return $"  events     dunlin tail '**'{(address == DefaultAddress ? "" : $" --server {address}")}{key}";
        yield return $"  with curl  curl -sN '{address}/dunlin/v1/events?topic=news' -H \"Authorization: Bearer $TOKEN\"";
        yield return "  all        dunlin --help";
    }

    // Without options, a command finds the key that a server of the same folder uses by default.
    private static string KeyArguments(ServerSettings settings) =>
        (settings.File is { } file ? $" --config {Quote(file)}" : "")
        + (settings.Data == Path.GetFullPath("data") ? "" : $" --data {Quote(settings.Data)}");

    private static string Quote(string path) => $"'{path.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    // An address that stands for all interfaces is no address to open, and commands make tokens for loopback only.
    private static string Reachable(string address) =>
        address
            .Replace("://0.0.0.0:", "://127.0.0.1:", StringComparison.Ordinal)
            .Replace("://[::]:", "://[::1]:", StringComparison.Ordinal)
            .TrimEnd('/');

    /// <summary>Returns a line for the Mercure hub; null without one.</summary>
    public static string? DescribeMercure(IServiceProvider services) =>
        services.GetRequiredService<IOptions<MercureOptions>>().Value is { Enabled: true } hub
            ? $"  mercure  {hub.Url}, protocol {Versions(hub.Dialects)}, {hub.Issuers.Count} issuer(s)"
                + (hub.Issuers.Count == 0 ? ": nobody can publish" : "")
            : null;

    /// <summary>Returns a line for the Durable Streams protocol; null without it.</summary>
    public static string? DescribeStreams(IServiceProvider services) =>
        services.GetRequiredService<IOptions<DurableStreamOptions>>().Value is { Enabled: true } streams
            ? $"  streams  {streams.Path}/..., topics {streams.TopicPrefix}/..."
            : null;

    /// <summary>Returns the place of collaborative documents; null if the server has none.</summary>
    public static string? DescribeYjs(IServiceProvider services) =>
        services.GetRequiredService<IOptions<YjsOptions>>().Value is { Enabled: true }
            ? $"  yjs      {ServerApplication.YjsPath}/..., each topic is a document"
            : null;

    private static string Versions(MercureDialects dialects) =>
        dialects switch
        {
            MercureDialects.Version1 => "1.0",
            MercureDialects.Version0 => "0.x",
            _ => "1.0 and 0.x",
        };

    private static string KeysOf(TrustedIssuer issuer)
    {
        var count = issuer.Keys.Count + issuer.KeyFiles.Count;
        return issuer.Authority is null ? $"{count} key(s)" : $"keys of {issuer.Authority}{(count == 0 ? "" : $" and {count} more")}";
    }
}
