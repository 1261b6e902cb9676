using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Security;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Published signature vectors for the code that validates every token.</summary>
public sealed class JwsVectorTests
{
    private const string Rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    // Valid in the vectors, but refused here. 346, 347, 350, 351: the header names another algorithm than the key is bound to. 372, 373: a
    // '?' inside base64url.
    private static readonly int[] StricterHere = [346, 347, 350, 351, 372, 373];

    // Invalid in the vectors because of padding that the published file lost. The texts equal 357, which is valid.
    private static readonly int[] SameAs357 = [367, 370];

    public static TheoryData<int> WycheproofGroups
    {
        get
        {
            using var vectors = Vectors();
            return [.. Enumerable.Range(0, vectors.RootElement.GetProperty("groups").GetArrayLength())];
        }
    }

    [Theory]
    [MemberData(nameof(WycheproofGroups))]
    public void Wycheproof_cases_match_the_published_result_or_are_stricter(int index)
    {
        using var vectors = Vectors();
        var group = vectors.RootElement.GetProperty("groups")[index];
        var keys = Keys(group.GetProperty("key").GetRawText());
        var algorithm = group.GetProperty("key").TryGetProperty("alg", out var alg) ? alg.GetString() : null;
        var wrong = new List<string>();
        foreach (var test in group.GetProperty("tests").EnumerateArray())
        {
            var id = test.GetProperty("tcId").GetInt32();
            var expected =
                algorithm is "HS256" or "RS256" or "ES256"
                && !StricterHere.Contains(id)
                && (test.GetProperty("result").ValueEquals("valid") || SameAs357.Contains(id));
            if (IsAccepted(test.GetProperty("jws").GetString()!, keys) != expected)
                wrong.Add($"{id} {test.GetProperty("comment").GetString()}: expected {(expected ? "accepted" : "refused")}");
        }
        Assert.True(wrong.Count == 0, $"{group.GetProperty("comment").GetString()}: {string.Join("; ", wrong)}");
    }

    [Fact]
    public void The_Wycheproof_file_is_complete_and_has_accepted_cases()
    {
        using var vectors = Vectors();
        var groups = vectors.RootElement.GetProperty("groups").EnumerateArray().ToList();
        Assert.Equal(401, groups.Sum(group => group.GetProperty("tests").GetArrayLength()));
        var tests = groups
            .SelectMany(group => group.GetProperty("tests").EnumerateArray())
            .ToDictionary(test => test.GetProperty("tcId").GetInt32(), test => test.GetProperty("jws").GetString());
        Assert.All(SameAs357, id => Assert.Equal(tests[357], tests[id]));
        var accepted = groups.Sum(group =>
            group
                .GetProperty("tests")
                .EnumerateArray()
                .Count(test => IsAccepted(test.GetProperty("jws").GetString()!, Keys(group.GetProperty("key").GetRawText())))
        );
        Assert.InRange(accepted, 15, 25);
    }

    [Theory]
    [InlineData( // A.1, HS256
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        """{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"""
    )]
    [InlineData( // A.2, RS256
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        """{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"""
    )]
    [InlineData( // A.3, ES256
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        """{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"""
    )]
    public async Task RFC_7515_examples_verify_and_fail_with_any_changed_character(string header, string signature, string key)
    {
        var token = $"{header}.{Rfc7515Payload}.{signature}";
        var keys = Keys(key);
        Assert.True(IsAccepted(token, keys));
        Assert.True(await IsProvenAsync(token, keys));
        for (var i = 0; i < token.Length; i++)
        {
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.False(IsAccepted(changed, keys), $"changed at {i}");
            Assert.False(IsAccepted(token[..i], keys), $"cut at {i}");
            Assert.False(await IsProvenAsync(changed, keys), $"changed at {i}");
            Assert.False(await IsProvenAsync(token[..i], keys), $"cut at {i}");
        }
    }

    [Theory]
    [InlineData("AA", true)]
    [InlineData("AB", false)]
    [InlineData("AAA", true)]
    [InlineData("AAB", false)]
    [InlineData("A", false)]
    [InlineData("AAAAA", false)]
    [InlineData("AA==", false)]
    [InlineData("A A", false)]
    [InlineData("AA\n", false)]
    [InlineData("+/", false)]
    [InlineData("-_8", true)]
    public void Base64url_has_one_encoding_per_value(string text, bool expected) =>
        Assert.Equal(expected, StrictTokenReader.TryDecode(text, out _));

    [Fact]
    public void The_unsecured_example_of_rfc_7515_is_refused() =>
        Assert.False(StrictTokenReader.TryRead($"eyJhbGciOiJub25lIn0.{Rfc7515Payload}.", out _, out _));

    // A server with an invalid key does not start, so it accepts nothing.
    private static IReadOnlyList<TokenKey> Keys(string key)
    {
        try
        {
            return TokenKey.Parse(key);
        }
        catch (FormatException)
        {
            return [];
        }
    }

    // The payloads of the vectors are not JSON, so the library's token handler cannot read them. This calls the deciding parts directly:
    // the strict reader, the choice of keys, and the library's verifier for a key and its algorithm.
    private static bool IsAccepted(string token, IReadOnlyList<TokenKey> keys)
    {
        if (!StrictTokenReader.TryRead(token, out var header, out _))
            return false;
        var end = token.LastIndexOf('.');
        Assert.True(StrictTokenReader.TryDecode(token.AsSpan(end + 1), out var signature));
        foreach (var key in TokenKey.For(keys, header.Algorithm, header.KeyId))
        {
            var crypto = key.Key.CryptoProviderFactory;
            var verifier = crypto.CreateForVerifying(key.Key, key.Algorithm);
            try
            {
                if (verifier.Verify(Encoding.ASCII.GetBytes(token[..end]), signature))
                    return true;
            }
            catch (Exception exception) when (exception is ArgumentException or CryptographicException)
            {
                // The handler treats an exception as a refusal.
            }
            finally
            {
                crypto.ReleaseSignatureProvider(verifier);
            }
        }
        return false;
    }

    // The same with the library's token handler, which reads JSON payloads only.
    private static async Task<bool> IsProvenAsync(string token, IReadOnlyList<TokenKey> keys)
    {
        if (!StrictTokenReader.TryRead(token, out var header, out _))
            return false;
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                ValidateAudience = false,
                ValidateLifetime = false,
                ValidIssuer = "joe",
                ValidAlgorithms = TokenKey.Algorithms,
                IssuerSigningKeyResolver = (_, _, _, _) => TokenKey.For(keys, header.Algorithm, header.KeyId).Select(key => key.Key),
            }
        );
        return result.IsValid;
    }

    private static JsonDocument Vectors()
    {
        using var stream = typeof(JwsVectorTests).Assembly.GetManifestResourceStream(
            typeof(JwsVectorTests)
                .Assembly.GetManifestResourceNames()
                .Single(name => name.EndsWith("wycheproof-jws.json", StringComparison.Ordinal))
        )!;
        return JsonDocument.Parse(stream);
    }
}
