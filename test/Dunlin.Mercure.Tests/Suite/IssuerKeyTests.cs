using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Configured public keys of an issuer: RS256 and ES256, as PEM, JWK and JWK set, in the options and in files.</summary>
public sealed class IssuerKeyTests : IDisposable
{
    private const string Name = "https://keys.example.com";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-mercure-keys-");

    public void Dispose()
    {
        _rsa.Dispose();
        _ec.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("pem", false)]
    [InlineData("pem", true)]
    [InlineData("pkcs1", false)]
    [InlineData("jwk", false)]
    [InlineData("jwk", true)]
    [InlineData("set", false)]
    [InlineData("set", true)]
    public async Task Configured_public_key_accepts_tokens_of_its_algorithm_only(string form, bool isFile)
    {
        await using var hub = await StartAsync(issuer =>
        {
            foreach (var key in KeysIn(form))
                (isFile ? issuer.KeyFiles : issuer.Keys).Add(isFile ? FileOf(key) : key);
        });
        Assert.Equal(HttpStatusCode.OK, await PublishAsync(hub, Rs256(_rsa)));
        Assert.Equal(HttpStatusCode.OK, await PublishAsync(hub, Es256(_ec)));

        using var otherRsa = RSA.Create(2048);
        using var otherEc = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var publicText = new HMACSHA256(Encoding.UTF8.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem()));
        (string Algorithm, Func<byte[], byte[]> Sign)[] wrong =
        [
            Rs256(otherRsa),
            Es256(otherEc),
            ("RS256", Es256(_ec).Sign),
            ("ES256", Rs256(_rsa).Sign),
            ("PS256", text => _rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)),
            ("RS512", text => _rsa.SignData(text, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1)),
            ("RS256", text => _rsa.SignData(text, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)),
            // The public key is known to everybody, so it must never serve as a shared secret.
            ("HS256", publicText.ComputeHash),
            ("none", static _ => []),
        ];
        foreach (var signer in wrong)
            Assert.Equal((signer.Algorithm, HttpStatusCode.Unauthorized), (signer.Algorithm, await PublishAsync(hub, signer)));
    }

    [Fact]
    public async Task Secret_file_is_read_without_white_space_at_its_end()
    {
        await using var hub = await StartAsync(issuer => issuer.SecretFiles.Add(FileOf(Tokens.Secret + "\r\n\n")));
        Assert.Equal(
            HttpStatusCode.OK,
            await PublishAsync(hub, ("HS256", static text => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Tokens.Secret), text)))
        );
    }

    [Theory]
    [InlineData("private", "a private key; put the public one here")]
    [InlineData("short", "2048")]
    [InlineData("curve", "P-256")]
    [InlineData("text", "neither a PEM public key nor a JWK")]
    [InlineData("missing", "missing.pem")]
    public async Task Unusable_key_stops_the_start_without_printing_it(string fault, string message)
    {
        using var shortKey = RSA.Create(1024);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var key = fault switch
        {
            "private" => _rsa.ExportPkcs8PrivateKeyPem(),
            "short" => shortKey.ExportSubjectPublicKeyInfoPem(),
            "curve" => curve.ExportSubjectPublicKeyInfoPem(),
            _ => "not a key: 0123456789",
        };
        var path = fault == "missing" ? Path.Combine(_folder.FullName, "missing.pem") : FileOf(key);
        var error = await Assert.ThrowsAsync<OptionsValidationException>(async () =>
        {
            await using var hub = await StartAsync(issuer => issuer.KeyFiles.Add(path));
        });
        Assert.Contains("MercureOptions.Issuers[1]: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Substring(key.Length / 2, 8), error.Message, StringComparison.Ordinal);
    }

    private static Task<HubNodes> StartAsync(Action<MercureIssuer> addKeys) =>
        HubNodes.StartAsync(
            static (dunlin, _) => dunlin.AddInMemory(),
            two: false,
            options =>
            {
                var issuer = new MercureIssuer { Issuer = Name };
                addKeys(issuer);
                options.Issuers.Add(issuer);
            }
        );

    private string FileOf(string text)
    {
        var path = Path.Combine(_folder.FullName, $"{Guid.NewGuid():N}.key");
        File.WriteAllText(path, text);
        return path;
    }

    private string[] KeysIn(string form)
    {
        var rsa = _rsa.ExportParameters(false);
        var point = _ec.ExportParameters(false).Q;
        var rsaJwk = $$"""{"kty": "RSA", "n": "{{Tokens.Encode(rsa.Modulus!)}}", "e": "{{Tokens.Encode(rsa.Exponent!)}}"}""";
        var ecJwk = $$"""{"kty": "EC", "crv": "P-256", "x": "{{Tokens.Encode(point.X!)}}", "y": "{{Tokens.Encode(point.Y!)}}"}""";
        return form switch
        {
            "pem" => [_rsa.ExportSubjectPublicKeyInfoPem(), "\n" + _ec.ExportSubjectPublicKeyInfoPem() + "\n"],
            "pkcs1" => [_rsa.ExportRSAPublicKeyPem(), _ec.ExportSubjectPublicKeyInfoPem()],
            "jwk" => [rsaJwk, ecJwk],
            _ => [$$"""{"keys": [{{rsaJwk}}, {{ecJwk}}]}"""],
        };
    }

    private static (string Algorithm, Func<byte[], byte[]> Sign) Rs256(RSA key) =>
        ("RS256", text => key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    private static (string Algorithm, Func<byte[], byte[]> Sign) Es256(ECDsa key) =>
        ("ES256", text => key.SignData(text, HashAlgorithmName.SHA256));

    private static async Task<HttpStatusCode> PublishAsync(HubNodes hub, (string Algorithm, Func<byte[], byte[]> Sign) signer)
    {
        var claims = Tokens.Claims(hub.Time, Tokens.Detail("publish", ["*"]));
        claims["iss"] = Name;
        var header = $$"""{"alg":"{{signer.Algorithm}}","typ":"at+jwt"}""";
        var text = $"{Tokens.Encode(Encoding.UTF8.GetBytes(header))}.{Tokens.Encode(Tokens.Json(claims))}";
        using var answer = await hub.PublishAsync($"{text}.{Tokens.Encode(signer.Sign(Encoding.UTF8.GetBytes(text)))}", ("topic", "a"));
        return answer.StatusCode;
    }
}
