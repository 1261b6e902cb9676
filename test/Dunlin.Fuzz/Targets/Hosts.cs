using System.Buffers.Text;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Targets;

/// <summary>The two programs under test, which all targets share. Each starts when a target needs it. Not thread-safe.</summary>
internal static class Hosts
{
    public const string Password = "dunlin-demo";

    private const string Everything = """{"subscribe":["**"],"publish":["**"],"hold":["**"],"take":["a/**"]}""";

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(64);
    private static FuzzHost? _server;
    private static FuzzHost? _demo;

    /// <summary>Returns <c>dunlin</c> with all its protocols.</summary>
    public static async Task<FuzzHost> ServerAsync() => _server ??= await FuzzHost.StartServerAsync(Convert.ToBase64String(Key));

    /// <summary>Returns the host with all systems.</summary>
    public static async Task<FuzzHost> DemoAsync() => _demo ??= await FuzzHost.StartHostAsync();

    public static async ValueTask StopAsync()
    {
        foreach (var host in new[] { _server, _demo }.OfType<FuzzHost>())
            await host.DisposeAsync();
        (_server, _demo) = (null, null);
    }

    /// <summary>Returns a token of the server.</summary>
    public static string Token(string subject, string grants = Everything, string roles = "[]")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return Sign(
            """{"alg":"HS256","typ":"JWT"}""",
            $$"""{"iss":"dunlin","aud":"dunlin","sub":"{{subject}}","iat":{{now}},"exp":{{now + 86_400}},"dunlin":{{grants}},"roles":{{roles}}}"""
        );
    }

    /// <summary>Signs a token with the key of the server.</summary>
    public static string Sign(string header, string claims)
    {
        var signed =
            $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Key, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>Signs a user in to the host with all systems.</summary>
    public static async Task<string> SignInAsync(FuzzHost demo, string user)
    {
        using var client = new HttpClient { BaseAddress = demo.Address };
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = Password });
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!;
    }
}
