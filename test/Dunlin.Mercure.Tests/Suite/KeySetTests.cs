using System.Net;
using System.Security.Cryptography;
using System.Text;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Keys of issuers that the hub fetches, and faults of configured keys.</summary>
public sealed class KeySetTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keys_are_fetched_and_a_new_key_is_found_at_its_first_token(bool isDiscovered)
    {
        using var first = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var second = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var published = first;
        await using var issuer = await DunlinTestHost.StartAsync(options =>
            options.Map = app =>
            {
                app.MapGet("/keys", () => Results.Text(KeySet(published), "application/json"));
                app.MapGet(
                    "/.well-known/openid-configuration",
                    static (HttpRequest request) =>
                        Results.Text($$"""{"issuer": "{{Root(request)}}", "jwks_uri": "{{Root(request)}}/keys"}""", "application/json")
                );
            }
        );
        var name = issuer.Address.ToString().TrimEnd('/');
        await using var hub = await HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            options =>
            {
                var added = new MercureIssuer { Issuer = name };
                added.Authority = isDiscovered ? name : null;
                added.KeySetUrl = isDiscovered ? null : name + "/keys";
                options.Issuers.Add(added);
            }
        );
        Assert.Equal(HttpStatusCode.OK, await PublishAsync(hub, name, first));
        Assert.Equal(HttpStatusCode.Unauthorized, await PublishAsync(hub, name, second));
        published = second;
        hub.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.OK, await PublishAsync(hub, name, second));
        Assert.Equal(HttpStatusCode.Unauthorized, await PublishAsync(hub, name, first));
    }

    private static string Root(HttpRequest request) => $"{request.Scheme}://{request.Host}";

    private static async Task<HttpStatusCode> PublishAsync(HubNodes hub, string issuer, ECDsa key)
    {
        var claims = Tokens.Claims(hub.Time, Tokens.Detail("publish", ["*"]));
        claims["iss"] = issuer;
        var header = $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{Name(key)}}"}""";
        var text = $"{Tokens.Encode(Encoding.UTF8.GetBytes(header))}.{Tokens.Encode(Tokens.Json(claims))}";
        var signature = Tokens.Encode(key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256));
        using var answer = await hub.PublishAsync($"{text}.{signature}", ("topic", "a"));
        return answer.StatusCode;
    }

    private static string Name(ECDsa key) => Tokens.Encode(key.ExportParameters(false).Q.X!)[..8];

    private static string KeySet(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        var (x, y) = (Tokens.Encode(point.X!), Tokens.Encode(point.Y!));
        return $$"""{"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "{{Name(key)}}", "x": "{{x}}", "y": "{{y}}"}]}""";
    }

    [Fact]
    public async Task Faulty_options_stop_the_start_and_are_all_named()
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(async () =>
        {
            await using var hub = await HubNodes.StartAsync(
                static (dunlin, _) => dunlin.AddInMemory(),
                two: false,
                static options =>
                {
                    options.Url = "/.well-known/mercure";
                    options.MaxMatchers = 0;
                    options.CorsOrigins.Add("https://example.com/");
                    options.PublishOrigins.Add("*");
                    options.Issuers[0].Issuer = "";
                    options.Issuers.Add(new MercureIssuer { Issuer = "a" });
                    options.Issuers.Add(new MercureIssuer { Issuer = "b", Secrets = { "31 bytes are too short for this" } });
                    options.Issuers.Add(new MercureIssuer { Issuer = "c", KeySetUrl = "http://example.com/keys" });
                }
            );
        });
        foreach (
            var part in (string[])
                [
                    "MercureOptions.Url: '/.well-known/mercure'",
                    "MaxMatchers",
                    "CorsOrigins: 'https://example.com/'",
                    "PublishOrigins: '*'",
                    "Issuers[0].Issuer is missing",
                    "Issuers[1] has no keys",
                    "Issuers[2]: an HS256 key has 32 bytes at least; this one has 31",
                    "Issuers[3].KeySetUrl: 'http://example.com/keys' is not an https address",
                ]
        )
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }
}
