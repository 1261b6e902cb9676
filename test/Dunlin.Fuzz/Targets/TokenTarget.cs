using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Fuzz.Targets;

/// <summary>
/// Access tokens. An input with a line feed is a header and claims, which are signed with the server's key. Every other input is a token.
/// </summary>
internal sealed class TokenTarget()
    : FuzzTarget("tokens", "Dunlin.Security.StrictTokenReader", "Dunlin.Security.TokenValidator", "Dunlin.Topics.Grants")
{
    private TokenValidator _validator = null!;

    public static TokenTarget Create() =>
        new()
        {
            Words =
            [
                "\"alg\":\"HS256\"",
                "\"alg\":\"none\"",
                "\"alg\":\"RS256\"",
                "\"typ\":\"JWT\"",
                "\"kid\":\"x\"",
                "\"crit\":[]",
                "\"iss\":\"dunlin\"",
                "\"aud\":[\"dunlin\"]",
                "\"sub\":\"alice\"",
                "\"exp\":4102444800",
                "\"nbf\":1e10",
                "\"iat\":-1",
                "\"roles\":[1]",
                "\"sid\":null",
                "\"dunlin\":{\"subscribe\":[\"**\"]}",
                "\\ud83d",
                "\\u0000",
                ".",
                "..",
                "=",
                "\n",
                "eyJhbGciOiJub25lIn0",
            ],
            MaxLength = 1_024,
        };

    public override async ValueTask StartAsync() => _validator = (await Hosts.ServerAsync()).Services.GetRequiredService<TokenValidator>();

    public override async ValueTask RunAsync(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        var parts = text.Split('\n', 2);
        var token = parts.Length == 2 ? Hosts.Sign(parts[0], parts[1]) : text;
        var result = await _validator.ValidateAsync(token, CancellationToken.None);
        FindingException.Require(
            (result.Fault == TokenFault.None) == (result.Identity is not null),
            "a refused token has an identity, or an accepted one has none",
            text
        );
        if (result.Identity is not { } identity)
            return;
        FindingException.Require(parts.Length == 2, "a token without a signature of the server is accepted", text);
        FindingException.Require(
            parts[0].Contains("HS256", StringComparison.Ordinal) || parts[0].Contains('\\', StringComparison.Ordinal),
            "another algorithm is accepted",
            text
        );
        FindingException.Require(
            identity.FindFirst("sub")?.Value is { Length: > 0 } user && !user.Contains('\0', StringComparison.Ordinal),
            "no user",
            text
        );
    }
}
