using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>An OpenID Connect issuer on loopback: discovery document, JWK set, and keys that a test rotates.</summary>
internal sealed class OidcIssuer : IAsyncDisposable
{
    private readonly Dictionary<string, RSA> _keys = new(StringComparer.Ordinal);
    private WebApplication? _app;
    private volatile TaskCompletionSource _fetched = new();
    private int _fetches;

    private OidcIssuer(int port) => Address = $"http://127.0.0.1:{port}";

    public string Address { get; }

    /// <summary>Number of key fetches.</summary>
    public int Fetches => Volatile.Read(ref _fetches);

    /// <summary>Names of the keys in the JWK set.</summary>
    public HashSet<string> Published { get; } = new(StringComparer.Ordinal);

    /// <summary>Replaces the JWK set; null for the real one.</summary>
    public string? KeysBody { get; set; }

    /// <summary>Replaces the issuer in the discovery document; null for the real one.</summary>
    public string? NamedIssuer { get; set; }

    /// <summary>Replaces the address of the keys in the discovery document; null for the real one.</summary>
    public string? NamedKeys { get; set; }

    public static async Task<OidcIssuer> StartAsync(params string[] keys)
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var issuer = new OidcIssuer(((IPEndPoint)probe.LocalEndpoint).Port);
        probe.Stop();
        issuer.Publish(keys);
        await issuer.StartAsync();
        return issuer;
    }

    /// <summary>Completes at the next fetch of the keys.</summary>
    public Task WhenFetchedAsync() =>
        (_fetched = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Publish(params string[] keys)
    {
        Published.Clear();
        Published.UnionWith(keys);
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, new Uri(Address).Port));
        _app = builder.Build();
        _app.MapGet(
            "/.well-known/openid-configuration",
            () =>
                Results.Json(
                    new Dictionary<string, string> { ["issuer"] = NamedIssuer ?? Address, ["jwks_uri"] = NamedKeys ?? $"{Address}/keys" }
                )
        );
        _app.MapGet(
            "/keys",
            () =>
            {
                Interlocked.Increment(ref _fetches);
                _fetched.TrySetResult();
                return Results.Text(KeysBody ?? JsonSerializer.Serialize(new { keys = Published.Select(Jwk) }), "application/json");
            }
        );
        await _app.StartAsync();
    }

    public async Task StopAsync()
    {
        if (_app is null)
            return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Signs a token with the named key, whether it is published or not.</summary>
    public string Token(string key, DateTimeOffset now, params (string Name, object? Value)[] more) =>
        Minted.Token(
            Minted.Header("RS256", ("kid", key)),
            Minted.Claims(now, [("iss", Address), ("aud", "us"), .. more]),
            Minted.Rs256(Key(key))
        );

    public object Jwk(string key)
    {
        var parameters = Key(key).ExportParameters(includePrivateParameters: false);
        return new
        {
            kty = "RSA",
            use = "sig",
            kid = key,
            n = Base64Url.EncodeToString(parameters.Modulus),
            e = Base64Url.EncodeToString(parameters.Exponent),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var key in _keys.Values)
            key.Dispose();
    }

    private RSA Key(string name)
    {
        lock (_keys)
            return _keys.TryGetValue(name, out var key) ? key : _keys[name] = RSA.Create(2048);
    }
}
