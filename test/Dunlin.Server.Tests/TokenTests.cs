using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>Accepted issuers, and the validity time of tokens.</summary>
public sealed class TokenTests(OneServer one) : IClassFixture<OneServer>
{
    private static readonly (string Right, string Pattern)[] Grants = [("subscribe", "a/*")];

    [Fact]
    public async Task Expired_premature_and_foreign_tokens_are_refused()
    {
        var server = one.Server;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string[] refused =
        [
            Mint.Token("ann", Grants, ("exp", now - 60)),
            Mint.Token("ann", Grants, ("exp", null)),
            Mint.Token("ann", Grants, ("nbf", now + 120)),
            Mint.Token("ann", Grants, ("iat", now + 120)),
            Mint.Token("ann", Grants, ("iss", "somebody")),
            Mint.Token("ann", Grants, ("aud", "others")),
            Mint.Token("", Grants),
            Mint.Sign(RandomNumberGenerator.GetBytes(64), Mint.Claims("ann", Grants)),
            Mint.Sign("""{"alg":"none","typ":"JWT"}""", Mint.Claims("ann", Grants), _ => []),
            "",
            "x.y.z",
        ];
        foreach (var token in refused)
            Assert.Equal((401, "not_signed_in"), await Calls.TryOpenAsync(server.Address, token, "topic=a/1"));
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, Mint.Token("ann", Grants), "topic=a/1")).Status);
    }

    [Theory]
    [InlineData("""["a/*"]""")]
    [InlineData("""{"subscribe":"a/*"}""")]
    [InlineData("""{"subscribe":["a/*",7]}""")]
    [InlineData("""{"subcribe":["a/*"]}""")]
    [InlineData("""{"subscribe":["a/x*"]}""")]
    [InlineData("""{"subscribe":["a/**/b"]}""")]
    [InlineData("""{"subscribe":["a//b"]}""")]
    [InlineData("""{"subscribe":["a/ü"]}""")]
    [InlineData("""{"subscribe":[""]}""")]
    [InlineData("""null""")]
    public async Task An_unreadable_claim_refuses_the_token(string claim)
    {
        var server = one.Server;
        var token = Mint.Token("ann", Grants, ("dunlin", JsonDocument.Parse(claim).RootElement));
        Assert.Equal((401, "not_signed_in"), await Calls.TryOpenAsync(server.Address, token, "topic=users/ann"));
    }

    [Fact]
    public async Task A_token_without_the_claim_opens_only_the_users_own_topics()
    {
        var server = one.Server;
        var claims = Mint.Claims("ann", []);
        claims.Remove("dunlin");
        var token = Mint.Sign(Mint.Key, claims);
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, token, "topic=users/ann")).Status);
        Assert.Equal(403, (await Calls.TryOpenAsync(server.Address, token, "topic=a/1")).Status);
    }

    [Fact]
    public async Task Tokens_of_trusted_issuers_are_verified_with_their_key_files()
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var folder = Directory.CreateTempSubdirectory("dunlin-keys-").FullName;
        var (pem, jwks) = (Path.Combine(folder, "rsa.pem"), Path.Combine(folder, "jwks.json"));
        await File.WriteAllTextAsync(pem, rsa.ExportSubjectPublicKeyInfoPem());
        var point = ec.ExportParameters(includePrivateParameters: false).Q;
        await File.WriteAllTextAsync(
            jwks,
            JsonSerializer.Serialize(
                new
                {
                    keys = new[]
                    {
                        new
                        {
                            kty = "EC",
                            crv = "P-256",
                            kid = "1",
                            x = System.Buffers.Text.Base64Url.EncodeToString(point.X),
                            y = System.Buffers.Text.Base64Url.EncodeToString(point.Y),
                        },
                    },
                }
            )
        );
        await using var server = await TestServer.StartAsync(
            ("Tokens:TrustedIssuers:0:Issuer", "https://rsa.example"),
            ("Tokens:TrustedIssuers:0:Audience", "us"),
            ("Tokens:TrustedIssuers:0:KeyFiles:0", pem),
            ("Tokens:TrustedIssuers:1:Issuer", "https://ec.example"),
            ("Tokens:TrustedIssuers:1:Audience", "us"),
            ("Tokens:TrustedIssuers:1:KeyFiles:0", jwks),
            ("Tokens:TrustedIssuers:1:UserIdPrefix", "ec:")
        );
        Directory.Delete(folder, recursive: true);
        string Rs256(string issuer) =>
            Mint.Sign(
                """{"alg":"RS256","typ":"JWT"}""",
                Mint.Claims("ann", Grants, ("iss", issuer), ("aud", "us")),
                text => rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            );
        string Es256(string issuer) =>
            Mint.Sign(
                """{"alg":"ES256","typ":"JWT","kid":"1"}""",
                Mint.Claims("ann", Grants, ("iss", issuer), ("aud", "us")),
                text => ec.SignData(text, HashAlgorithmName.SHA256)
            );
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, Rs256("https://rsa.example"), "topic=a/1&topic=users/ann")).Status);
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, Es256("https://ec.example"), "topic=a/1&topic=users/ec:ann")).Status);
        Assert.Equal(403, (await Calls.TryOpenAsync(server.Address, Es256("https://ec.example"), "topic=users/ann")).Status);
        Assert.Equal(401, (await Calls.TryOpenAsync(server.Address, Es256("https://rsa.example"), "topic=a/1")).Status);
        Assert.Equal(401, (await Calls.TryOpenAsync(server.Address, Rs256("dunlin"), "topic=a/1")).Status);
    }

    [Fact]
    public async Task G4_A_stream_ends_when_its_token_expires()
    {
        await using var server = await TestServer.StartAsync(("Tokens:ClockSkew", "00:00:00"));
        var expires = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 3;
        await using var reader = await Calls.OpenAsync(server.Address, Mint.Token("ann", Grants, ("exp", expires)), "topic=a/1");
        Assert.Contains("tokenExpired", (await reader.UntilAsync("dunlin.goodbye")).Data, StringComparison.Ordinal);
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_ticket_opens_one_stream_with_the_grants_of_its_token()
    {
        var server = one.Server;
        async Task<string> TicketAsync() =>
            (await Calls.SendAsync(server.Address, Mint.Token("ann", Grants), HttpMethod.Post, "/api/v1/auth/ticket"))
                .Answer.GetProperty("ticket")
                .GetString()!;

        var ticket = await TicketAsync();
        await using var reader = await Calls.OpenAsync(server.Address, null, $"topic=a/1&ticket={ticket}");
        await Calls.PublishAsync(server.Address, Mint.Backend(), "a/1", 7);
        Assert.Equal("7", (await reader.UntilAsync("e")).Data);
        Assert.Equal((401, "not_signed_in"), await Calls.TryOpenAsync(server.Address, null, $"topic=a/1&ticket={ticket}"));
        Assert.Equal((403, "forbidden"), await Calls.TryOpenAsync(server.Address, null, $"topic=b/1&ticket={await TicketAsync()}"));
    }

    [Fact]
    public async Task A_token_in_the_URL_is_refused()
    {
        var server = one.Server;
        var token = Mint.Token("ann", Grants);
        Assert.Equal((400, "invalid_field"), await Calls.TryOpenAsync(server.Address, null, $"topic=a/1&access_token={token}"));
        Assert.Equal((400, "invalid_field"), await Calls.TryOpenAsync(server.Address, token, $"topic=a/1&token={token}"));
    }
}
