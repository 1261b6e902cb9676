using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Dunlin.Accounts;
using Dunlin.Identity;
using Dunlin.Security;
using Dunlin.TestKit;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.AspNetCore.Tests.Security;

public sealed class TokenValidatorTests
{
    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    // Creating an RSA key is slow, so all tests share these.
    private static readonly RSA RsaKey = RSA.Create(2048);
    private static readonly ECDsa EcKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private readonly ManualTime _clock = new();
    private readonly AccessTokenOptions _options = new() { SigningKey = Convert.ToBase64String(Secret) };

    public TokenValidatorTests()
    {
        _options.TrustedIssuers.Add(
            new TrustedIssuer
            {
                Issuer = "https://rsa.example",
                Audience = "us",
                Keys = { RsaKey.ExportSubjectPublicKeyInfoPem() },
                RolesClaim = "groups",
                UserIdPrefix = "rsa:",
            }
        );
        _options.TrustedIssuers.Add(
            new TrustedIssuer
            {
                Issuer = "https://ec.example",
                Audience = "us",
                Keys = { EcKey.ExportSubjectPublicKeyInfoPem() },
            }
        );
    }

    [Fact]
    public void A_valid_token_identifies_its_user()
    {
        var result = Validate(Own(("sid", "s1"), ("jti", "j")));
        Assert.Equal(TokenFault.None, result.Fault);
        Assert.True(result.IsOwn);
        Assert.Equal("u1", result.Identity!.FindFirst("sub")!.Value);
        Assert.Equal("User One", result.Identity.Name);
        Assert.Equal("s1", result.Identity.FindFirst("sid")!.Value);
        Assert.True(new ClaimsPrincipal(result.Identity).IsInRole("admin"));
    }

    [Fact]
    public void Other_issuers_use_their_own_keys_and_their_own_user_ids()
    {
        var rsa = Validate(Rsa(("groups", "staff")));
        Assert.Equal("rsa:u1", rsa.Identity!.FindFirst("sub")!.Value);
        Assert.Equal(["staff"], rsa.Identity.FindAll("roles").Select(c => c.Value));
        Assert.False(rsa.IsOwn);
        Assert.Equal(TokenFault.None, Validate(Ec()).Fault);
    }

    [Fact]
    public void A_public_key_is_not_accepted_as_an_HMAC_secret()
    {
        foreach (
            var key in new[]
            {
                RsaKey.ExportSubjectPublicKeyInfo(),
                RsaKey.ExportRSAPublicKey(),
                Encoding.ASCII.GetBytes(RsaKey.ExportSubjectPublicKeyInfoPem()),
                Encoding.ASCII.GetBytes(RsaKey.ExportSubjectPublicKeyInfoPem() + "\n"),
            }
        )
        {
            var token = Minted.Token(
                Minted.Header("HS256"),
                Minted.Claims(_clock.GetUtcNow(), ("iss", "https://rsa.example"), ("aud", "us")),
                Minted.Hs256(key)
            );
            Assert.Equal(TokenFault.WrongSignature, Validate(token).Fault);
        }
    }

    [Fact]
    public void A_header_algorithm_that_differs_from_the_key_is_refused()
    {
        var claims = Minted.Claims(_clock.GetUtcNow());
        Assert.Equal(TokenFault.WrongSignature, Validate(Minted.Token(Minted.Header("RS256"), claims, Minted.Hs256(Secret))).Fault);
        Assert.Equal(TokenFault.WrongSignature, Validate(Minted.Token(Minted.Header("ES256"), claims, Minted.Hs256(Secret))).Fault);
    }

    [Fact]
    public void A_token_verified_with_another_issuers_key_is_refused()
    {
        var claims = Minted.Claims(_clock.GetUtcNow(), ("iss", "https://rsa.example"), ("aud", "us"));
        Assert.Equal(TokenFault.WrongSignature, Validate(Minted.Token(Minted.Header("ES256"), claims, Minted.Es256(EcKey))).Fault);
        Assert.Equal(TokenFault.WrongSignature, Validate(Minted.Token(Minted.Header("HS256"), claims, Minted.Hs256(Secret))).Fault);
        Assert.Equal(
            TokenFault.WrongSignature,
            Validate(Minted.Token(Minted.Header("RS256"), Minted.Claims(_clock.GetUtcNow()), Minted.Rs256(RsaKey))).Fault
        );
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("HS384")]
    [InlineData("HS512")]
    [InlineData("hs256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("ES384")]
    [InlineData("EdDSA")]
    [InlineData("RSA-OAEP")]
    public void Only_allowed_algorithms_are_accepted(string algorithm)
    {
        Assert.Equal(
            TokenFault.Malformed,
            Validate(Minted.Token(Minted.Header(algorithm), Minted.Claims(_clock.GetUtcNow()), Minted.Hs256(Secret))).Fault
        );
        Assert.Equal(
            TokenFault.Malformed,
            Validate(Minted.Token(Minted.Header(algorithm), Minted.Claims(_clock.GetUtcNow()), _ => [])).Fault
        );
    }

    [Theory]
    [InlineData("""{"typ":"JWT"}""")]
    [InlineData("""{"alg":null,"typ":"JWT"}""")]
    [InlineData("""{"alg":["HS256"],"typ":"JWT"}""")]
    [InlineData("""{"alg":"none","alg":"HS256","typ":"JWT"}""")]
    [InlineData("""{"alg":"HS256","typ":"JWT","crit":["exp"]}""")]
    [InlineData("""{"alg":"HS256","typ":"JWT","b64":false}""")]
    [InlineData("""{"alg":"HS256","typ":7}""")]
    [InlineData("""{"alg":"HS256","typ":"JWT","kid":7}""")]
    [InlineData("""["HS256"]""")]
    [InlineData("""{"alg":"HS256","typ":"JWT"} """ + "x")]
    [InlineData("")]
    public void An_ambiguous_header_is_refused(string header) =>
        Assert.Equal(
            TokenFault.Malformed,
            Validate(
                Minted.Token(header, System.Text.Json.JsonSerializer.Serialize(Minted.Claims(_clock.GetUtcNow())), Minted.Hs256(Secret))
            ).Fault
        );

    [Theory]
    [InlineData("""{"\ud83d":1,"iss":"dunlin"}""")]
    [InlineData("""{"iss":"dunlin\ud83d"}""")]
    public void Claims_with_an_unpaired_surrogate_are_refused(string claims) =>
        Assert.Equal(TokenFault.Malformed, Validate(Minted.Token("""{"alg":"HS256","typ":"JWT"}""", claims, Minted.Hs256(Secret))).Fault);

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("dpop+jwt")]
    [InlineData("JOSE")]
    [InlineData("")]
    public void Another_type_of_token_is_refused(string type) =>
        Assert.Equal(
            TokenFault.WrongType,
            Validate(Minted.Token(Minted.Header("HS256", ("typ", type)), Minted.Claims(_clock.GetUtcNow()), Minted.Hs256(Secret))).Fault
        );

    [Fact]
    public void A_token_without_type_is_refused() =>
        Assert.Equal(
            TokenFault.WrongType,
            Validate(
                Minted.Token(Minted.Header("HS256", ("typ", Minted.Absent)), Minted.Claims(_clock.GetUtcNow()), Minted.Hs256(Secret))
            ).Fault
        );

    [Fact]
    public void Key_material_in_the_header_is_not_used()
    {
        using var attacker = RSA.Create(2048);
        var parameters = attacker.ExportParameters(false);
        var jwk = new
        {
            kty = "RSA",
            n = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus),
            e = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent),
        };
        var claims = Minted.Claims(_clock.GetUtcNow(), ("iss", "https://rsa.example"), ("aud", "us"));
        foreach (
            var extra in new (string, object?)[]
            {
                ("jwk", jwk),
                ("jku", "http://127.0.0.1:1/keys"),
                ("x5u", "http://127.0.0.1:1/cert"),
                ("x5c", new[] { "AAAA" }),
                ("kid", "../../dev/null"),
                ("kid", "' or 1=1 --"),
            }
        )
            Assert.Equal(
                TokenFault.WrongSignature,
                Validate(Minted.Token(Minted.Header("RS256", extra), claims, Minted.Rs256(attacker))).Fault
            );
        // Keys in the header are ignored. A token with a valid signature may contain them.
        Assert.Equal(TokenFault.None, Validate(Minted.Token(Minted.Header("RS256", ("jwk", jwk)), claims, Minted.Rs256(RsaKey))).Fault);
    }

    [Fact]
    public void Time_limits_include_the_clock_skew()
    {
        var token = Own(); // valid from now for 900 s, 30 s of skew
        _clock.StepWallClock(TimeSpan.FromSeconds(-30));
        Assert.Equal(TokenFault.None, Validate(token).Fault);
        _clock.StepWallClock(TimeSpan.FromSeconds(-1));
        Assert.Equal(TokenFault.NotYetValid, Validate(token).Fault);
        _clock.Advance(TimeSpan.FromSeconds(31 + 900 + 29));
        var last = Validate(token);
        Assert.Equal(TokenFault.None, last.Fault);
        Assert.Equal(_clock.GetUtcNow().AddSeconds(1), DunlinIdentity.ExpiresAt(last.Identity!));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TokenFault.Expired, Validate(token).Fault);
    }

    [Theory]
    [InlineData("nbf", 31, TokenFault.NotYetValid)]
    [InlineData("nbf", 30, TokenFault.None)]
    [InlineData("iat", 31, TokenFault.NotYetValid)]
    [InlineData("exp", -30, TokenFault.Expired)]
    [InlineData("exp", -29, TokenFault.None)]
    public void Each_time_counts(string claim, int seconds, object expected) =>
        Assert.Equal((TokenFault)expected, Validate(Own((claim, _clock.GetUtcNow().ToUnixTimeSeconds() + seconds))).Fault);

    [Fact]
    public void Issuer_audience_expiry_and_subject_are_required_and_checked()
    {
        var absent = Minted.Absent;
        Assert.Equal(TokenFault.UnknownIssuer, Validate(Own(("iss", absent))).Fault);
        Assert.Equal(TokenFault.UnknownIssuer, Validate(Own(("iss", "Dunlin"))).Fault);
        Assert.Equal(TokenFault.UnknownIssuer, Validate(Own(("iss", new[] { "dunlin" }))).Fault);
        Assert.Equal(TokenFault.UnknownIssuer, Validate(Own(("iss", "dunlin "))).Fault);
        Assert.Equal(TokenFault.WrongAudience, Validate(Own(("aud", absent))).Fault);
        Assert.Equal(TokenFault.WrongAudience, Validate(Own(("aud", "other"))).Fault);
        Assert.Equal(TokenFault.WrongAudience, Validate(Own(("aud", new object[] { "other", 3 }))).Fault);
        Assert.Equal(TokenFault.None, Validate(Own(("aud", new[] { "other", "dunlin" }))).Fault);
        Assert.Equal(TokenFault.Expired, Validate(Own(("exp", absent))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("exp", "9999999999"))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("exp", 1e300))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("exp", -1))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("nbf", true))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", absent))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", ""))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", 5))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", "a\nb"))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", new string('x', 121)))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", new string('x', 200)))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", new string('\u0416', 21)))).Fault);
        Assert.Equal(TokenFault.BadClaim, Validate(Own(("sub", new string('/', 41)))).Fault);
        Assert.Equal(TokenFault.None, Validate(Own(("sub", new string('x', 120)))).Fault);
        Assert.Equal(TokenFault.None, Validate(Own(("sub", new string('\u0416', 20)))).Fault);
        Assert.Equal(
            TokenFault.None,
            Validate(Own(("exp", _clock.GetUtcNow().ToUnixTimeSeconds() + 900.5), ("nbf", absent), ("iat", absent))).Fault
        );
    }

    [Theory]
    [InlineData("""{"iss":"dunlin","aud":"dunlin","sub":"a","sub":"b","exp":99999999999}""")]
    [InlineData("""[]""")]
    [InlineData("""{"iss":"dunlin" """)]
    [InlineData("\"dunlin\"")]
    public void Ambiguous_claims_are_refused(string claims) =>
        Assert.NotEqual(TokenFault.None, Validate(Minted.Token("""{"alg":"HS256","typ":"JWT"}""", claims, Minted.Hs256(Secret))).Fault);

    [Fact]
    public void A_modified_truncated_padded_or_oversized_token_is_refused()
    {
        var token = Own();
        var parts = token.Split('.');
        string[] wrong =
        [
            "",
            ".",
            "..",
            "...",
            parts[0],
            $"{parts[0]}.{parts[1]}",
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}..{parts[2]}",
            $".{parts[1]}.{parts[2]}",
            $"{token}.",
            $"{token}.x",
            $".{token}",
            $"{token}=",
            $"{token}\n",
            $" {token}",
            $"{token}%00",
            token.Replace('.', ':'),
            token.ToUpperInvariant(),
            $"{parts[0]}=.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2][..^1]}",
            token[..^2],
            $"{parts[0]}.{parts[1]}.{parts[2]}{parts[2]}",
            new string('a', 100_000),
            $"{parts[0]}.{new string('A', 9000)}.{parts[2]}",
            new string('.', 5000),
            $"{{\"payload\":\"{parts[1]}\",\"protected\":\"{parts[0]}\",\"signature\":\"{parts[2]}\"}}",
        ];
        foreach (var text in wrong)
            Assert.NotEqual(TokenFault.None, Validate(text).Fault);
        Assert.Equal(TokenFault.None, Validate(token).Fault);
    }

    [Fact]
    public void A_named_key_is_tried_by_name_only()
    {
        using var old = RSA.Create(2048);
        _options.TrustedIssuers.Add(
            new TrustedIssuer
            {
                Issuer = "https://set.example",
                Audience = "us",
                Keys = { $$"""{"keys":[{{Jwk(old, "old")}},{{Jwk(RsaKey, "new")}},{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}""" },
            }
        );
        var claims = Minted.Claims(_clock.GetUtcNow(), ("iss", "https://set.example"), ("aud", "us"));
        Assert.Equal(TokenFault.None, Validate(Minted.Token(Minted.Header("RS256", ("kid", "new")), claims, Minted.Rs256(RsaKey))).Fault);
        Assert.Equal(TokenFault.None, Validate(Minted.Token(Minted.Header("RS256"), claims, Minted.Rs256(RsaKey))).Fault);
        Assert.Equal(
            TokenFault.WrongSignature,
            Validate(Minted.Token(Minted.Header("RS256", ("kid", "old")), claims, Minted.Rs256(RsaKey))).Fault
        );
        Assert.Equal(
            TokenFault.WrongSignature,
            Validate(Minted.Token(Minted.Header("RS256", ("kid", "gone")), claims, Minted.Rs256(RsaKey))).Fault
        );
        Assert.Equal(
            TokenFault.WrongSignature,
            Validate(Minted.Token(Minted.Header("RS256", ("kid", "")), claims, Minted.Rs256(RsaKey))).Fault
        );
    }

    [Fact]
    public void Tokens_of_an_independent_library_are_accepted()
    {
        var rsa = new SigningCredentials(new RsaSecurityKey(RsaKey), SecurityAlgorithms.RsaSha256);
        var ec = new SigningCredentials(new ECDsaSecurityKey(EcKey), SecurityAlgorithms.EcdsaSha256);
        var own = new SigningCredentials(new SymmetricSecurityKey(Secret), SecurityAlgorithms.HmacSha256);
        var handler = new JsonWebTokenHandler();
        string Payload(string issuer, string audience) =>
            System.Text.Json.JsonSerializer.Serialize(Minted.Claims(_clock.GetUtcNow(), ("iss", issuer), ("aud", audience)));
        Assert.Equal(TokenFault.None, Validate(handler.CreateToken(Payload("https://rsa.example", "us"), rsa)).Fault);
        Assert.Equal(TokenFault.None, Validate(handler.CreateToken(Payload("https://ec.example", "us"), ec)).Fault);
        Assert.Equal(TokenFault.None, Validate(handler.CreateToken(Payload("dunlin", "dunlin"), own)).Fault);
    }

    [Fact]
    public async Task An_independent_library_accepts_Dunlin_tokens()
    {
        var session = new SessionRow("s1", "u1", "hash", _clock.GetUtcNow(), _clock.GetUtcNow().AddDays(1), "test");
        var (token, lifetime) = new TokenIssuer(Options.Create(_options), Tokens(), _clock).Issue(
            new AccountRow("u1", "user", "User \"One\" é", "", ["a", "b"]),
            session
        );
        Assert.Equal(TimeSpan.FromMinutes(15), lifetime);
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                ValidIssuer = "dunlin",
                ValidAudience = "dunlin",
                IssuerSigningKey = new SymmetricSecurityKey(Secret),
                LifetimeValidator = (from, to, _, _) =>
                    from == _clock.GetUtcNow().UtcDateTime && to == _clock.GetUtcNow().AddMinutes(15).UtcDateTime,
            }
        );
        Assert.True(result.IsValid, result.Exception?.ToString());
        var read = (JsonWebToken)result.SecurityToken;
        Assert.Equal("u1", read.Subject);
        Assert.Equal("User \"One\" é", read.GetClaim("name").Value);
        Assert.Equal("s1", read.GetClaim("sid").Value);
        Assert.Equal(["a", "b"], read.Claims.Where(c => c.Type == "roles").Select(c => c.Value));
        Assert.NotEmpty(read.Id);
        Assert.Equal("HS256", read.Alg);
    }

    [Fact]
    public void A_token_never_outlives_its_session()
    {
        var session = new SessionRow("s1", "u1", "hash", _clock.GetUtcNow(), _clock.GetUtcNow().AddSeconds(100), "test");
        var (token, lifetime) = new TokenIssuer(Options.Create(_options), Tokens(), _clock).Issue(
            new AccountRow("u1", "user", "User", "", []),
            session
        );
        Assert.Equal(TimeSpan.FromSeconds(100), lifetime);
        _clock.Advance(TimeSpan.FromSeconds(130));
        Assert.Equal(TokenFault.Expired, Validate(token).Fault);
    }

    [Fact]
    public async Task Validation_is_thread_safe()
    {
        var validator = Validator();
        string[] tokens = [Own(), Rsa(), Ec()];
        var faults = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var seen = new HashSet<TokenFault>();
                        for (var i = 0; i < 300; i++)
                            seen.Add((await validator.ValidateAsync(tokens[i % 3], default)).Fault);
                        return seen;
                    })
                )
        );
        Assert.All(faults, fault => Assert.Equal([TokenFault.None], fault));
    }

    // The keys are configured, so validation completes synchronously.
    private TokenResult Validate(string token)
    {
        var validation = Validator().ValidateAsync(token, default);
        Assert.True(validation.IsCompletedSuccessfully);
        return validation.Result;
    }

    private TokenValidator Validator() => TestTokens.Validator(_options, _clock);

    private AccessTokens Tokens() => TestTokens.Issuer(_options, _clock);

    private string Own(params (string, object?)[] more) =>
        Minted.Token(Minted.Header("HS256"), Minted.Claims(_clock.GetUtcNow(), more), Minted.Hs256(Secret));

    private string Rsa(params (string, object?)[] more) =>
        Minted.Token(
            Minted.Header("RS256"),
            Minted.Claims(_clock.GetUtcNow(), [("iss", "https://rsa.example"), ("aud", "us"), .. more]),
            Minted.Rs256(RsaKey)
        );

    private string Ec() =>
        Minted.Token(
            Minted.Header("ES256", ("typ", "at+jwt")),
            Minted.Claims(_clock.GetUtcNow(), ("iss", "https://ec.example"), ("aud", "us")),
            Minted.Es256(EcKey)
        );

    private static string Jwk(RSA rsa, string keyId)
    {
        var parameters = rsa.ExportParameters(false);
        return $$"""{"kty":"RSA","kid":"{{keyId}}","n":"{{System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus)}}","e":"{{System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent)}}"}""";
    }
}
