using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Dunlin.Topics;

namespace Dunlin.Server.Doctor;

/// <summary>Reads the claims of the token, and explains why the server refuses it or a topic.</summary>
internal static class TokenCheck
{
    private static readonly TimeSpan ShortLife = TimeSpan.FromMinutes(1);

    /// <returns>A topic that the token may read; null if there is none to test with.</returns>
    public static async Task<string?> RunAsync(
        Examination examination,
        DiagnosisOptions options,
        Action<Finding> report,
        CancellationToken cancellationToken
    )
    {
        if (examination.Token is not { } token)
        {
            report(Finding.Warn("token", "There is no token: streams were not tested.", "Pass one with --token or DUNLIN_TOKEN."));
            return null;
        }
        if (Claims(token) is not { } claims)
        {
            report(
                Finding.Fail(
                    "token",
                    "The token is no JWT: it needs three base64url parts with dots between.",
                    "See docs/reference/tokens.md."
                )
            );
            return null;
        }
        using (claims)
        {
            report(Describe(claims.RootElement));
            var user = Text(claims.RootElement, "sub") ?? "";
            using var answer = await examination.GetAsync("dunlin/v1/stats", withToken: true, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.Unauthorized)
            {
                report(await RefusalAsync(token, claims.RootElement, options, cancellationToken));
                return null;
            }
            if (!answer.IsSuccessStatusCode)
            {
                report(
                    Finding.Fail("access", $"GET stats answered {(int)answer.StatusCode}.", "Read the log of the server and of the proxy.")
                );
                return null;
            }
            report(Finding.Ok("access", $"The server accepts the token of '{user}'."));
            if (VersionCheck.Read(await answer.Content.ReadAsStringAsync(cancellationToken)) is { } release)
                report(release);
            return await TopicAsync(examination, claims.RootElement, options.Topic, user, report, cancellationToken);
        }
    }

    private static async Task<string?> TopicAsync(
        Examination examination,
        JsonElement claims,
        string? wanted,
        string user,
        Action<Finding> report,
        CancellationToken cancellationToken
    )
    {
        // Every user may read this topic.
        var topic = wanted ?? TopicName.ForUser(user).Value;
        var path = $"dunlin/v1/journal?limit=1&topic={Uri.EscapeDataString(topic)}";
        using var answer = await examination.GetAsync(path, withToken: true, cancellationToken);
        if (answer.IsSuccessStatusCode)
        {
            if (wanted is not null)
                report(Finding.Ok("topic", $"The token may read '{topic}'."));
            return topic;
        }
        var granted = Granted(claims, "subscribe");
        report(
            answer.StatusCode == HttpStatusCode.Forbidden
                ? Finding.Fail(
                    "topic",
                    $"The token may not read '{topic}' (403). It grants subscribe for {granted}.",
                    $"Issue a token whose claim dunlin.subscribe covers '{topic}': '*' is one segment, '**' at the end one or more."
                )
                : Finding.Fail("topic", $"Reading '{topic}' answered {(int)answer.StatusCode}.", "Check the name of the topic.")
        );
        return null;
    }

    private static Finding Describe(JsonElement claims)
    {
        var text =
            $"sub '{Text(claims, "sub")}', iss '{Text(claims, "iss")}', aud '{Text(claims, "aud")}', "
            + $"subscribe {Granted(claims, "subscribe")}, publish {Granted(claims, "publish")}";
        var now = TimeProvider.System.GetUtcNow();
        if (Time(claims, "exp") is not { } expires)
            return Finding.Fail("token", $"The token has no exp: {text}.", "Issue tokens with an expiry.");
        var left = expires - now;
        if (left <= TimeSpan.Zero)
        {
            return Finding.Fail(
                "token",
                Invariant($"The token expired {-left.TotalMinutes:0} min ago, at {expires:u}: {text}."),
                "Issue another one, and renew tokens in pages before they expire."
            );
        }
        if (Time(claims, "nbf") is { } start && start > now)
            return Finding.Fail("token", Invariant($"The token is valid from {start:u}: {text}."), "Compare the clocks.");
        if (Time(claims, "iat") is null)
            return Finding.Warn(
                "token",
                $"The token has no iat: {text}.",
                "Add iat: a token without it counts as revoked by any revocation."
            );
        return left < ShortLife
            ? Finding.Warn(
                "token",
                Invariant($"The token expires in {left.TotalSeconds:0} s: {text}."),
                "Streams end when their token expires."
            )
            : Finding.Ok("token", Invariant($"Valid for {left.TotalMinutes:0} min: {text}."));
    }

    private static async ValueTask<Finding> RefusalAsync(
        string token,
        JsonElement claims,
        DiagnosisOptions options,
        CancellationToken cancellationToken
    )
    {
        const string check = "access";
        if (options.WhyRefused is { } why)
        {
            return await why(token, cancellationToken) is { } reason
                ? Finding.Fail(
                    check,
                    $"The server refuses the token (401). With the local settings the reason is {reason}.",
                    Remedy(reason)
                )
                : Finding.Fail(
                    check,
                    "The server refuses the token (401), but the local settings accept it.",
                    "The token was revoked, or the server has other settings than --data, --config and the environment here."
                );
        }
        return Finding.Fail(
            check,
            $"The server refuses the token (401): unknown issuer '{Text(claims, "iss")}', audience '{Text(claims, "aud")}', or signature.",
            "Run 'dunlin check --token ...' with the settings of the server: it prints the reason."
        );
    }

    private static string Remedy(string reason) =>
        reason switch
        {
            "wrongAudience" => "Set aud to Dunlin__Tokens__Audience.",
            "unknownIssuer" => "Set iss to Dunlin__Tokens__Issuer, or add the issuer to Dunlin__Tokens__TrustedIssuers.",
            "wrongSignature" => "Sign with the key of the server: Dunlin__Tokens__SigningKey, or signing.key in its data folder.",
            "expired" => "Issue another token.",
            "badClaim" => "Correct the claim 'dunlin': docs/reference/tokens.md lists rights and patterns.",
            _ => "See docs/reference/tokens.md.",
        };

    /// <summary>Decodes the payload of a token without checking its signature; null if it is no JWT.</summary>
    private static JsonDocument? Claims(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return claims.RootElement.ValueKind == JsonValueKind.Object ? claims : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }

    private static string Granted(JsonElement claims, string right) =>
        claims.TryGetProperty("dunlin", out var grants)
        && grants.ValueKind == JsonValueKind.Object
        && grants.TryGetProperty(right, out var patterns)
        && patterns.ValueKind == JsonValueKind.Array
        && patterns.GetArrayLength() > 0
            ? string.Join(", ", patterns.EnumerateArray().Select(pattern => $"'{pattern}'"))
            : "nothing";

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Array
            ? value.ToString()
            : null;

    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds)
            ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Clamp(seconds, 0, 253_402_300_799))
            : null;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
