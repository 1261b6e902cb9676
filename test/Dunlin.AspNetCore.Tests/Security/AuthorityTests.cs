using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.Security;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Tokens of an issuer with an OpenID Connect discovery document, over real connections.</summary>
public sealed class AuthorityTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    [Fact]
    public async Task Key_rotation_needs_no_restart_and_cuts_no_stream()
    {
        await using var issuer = await OidcIssuer.StartAsync("old");
        await using var host = await StartAsync(issuer);
        var old = Token(issuer, host, "old");
        await using var first = await OpenAsync(host, old);

        // The issuer signs with a new key and still publishes the old one.
        issuer.Publish("old", "new");
        host.Time.Advance(AuthorityKeys.MinInterval);
        await using var second = await OpenAsync(host, Token(issuer, host, "new"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, old));

        // The issuer removes the old key. The next refresh rejects its tokens, but open streams continue.
        issuer.Publish("new");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, old));
        await RefreshAsync(host, issuer);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, old));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "new")));
        await host.PublishAsync("a", 1);
        Assert.Equal("1", (await first.UntilAsync("e")).Data);
        Assert.Equal("1", (await second.UntilAsync("e")).Data);

        // A stream ends when its token expires.
        host.Time.Advance(TimeSpan.FromHours(3));
        Assert.Contains("tokenExpired", (await first.UntilAsync("dunlin.goodbye")).Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_keys_cause_one_fetch_per_ten_seconds()
    {
        await using var issuer = await OidcIssuer.StartAsync("old");
        await using var host = await StartAsync(issuer);
        await OpenedAsync(host, Token(issuer, host, "old"));
        var before = issuer.Fetches;
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, Token(issuer, host, "forged")));
        Assert.Equal(before, issuer.Fetches);
        host.Time.Advance(AuthorityKeys.MinInterval);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => StatusAsync(host, Token(issuer, host, "forged"))));
        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        Assert.Equal(before + 1, issuer.Fetches);
    }

    [Fact]
    public async Task Keys_that_arrive_during_an_attempt_are_tried_without_a_fetch()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        await using var host = await StartAsync(issuer);
        var authority = host.Services.GetRequiredService<Authorities>().Find(issuer.Address)!;
        var cancel = TestContext.Current.CancellationToken;
        await authority.RefreshAsync(cancel);
        var fetches = issuer.Fetches;
        // The first attempt had no keys yet. The fetch of the start has brought them since.
        Assert.True(await authority.HasOtherKeysAsync([], "a", cancel));
        Assert.False(await authority.HasOtherKeysAsync(authority.Keys, "a", cancel));
        Assert.False(await authority.HasOtherKeysAsync(authority.Keys, "forged", cancel));
        Assert.Equal(fetches, issuer.Fetches);
    }

    [Fact]
    public async Task A_token_of_an_unknown_issuer_fetches_nothing()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        await using var stranger = await OidcIssuer.StartAsync("a");
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, Token(stranger, host, "a")));
        Assert.Equal(0, stranger.Fetches);
    }

    [Fact]
    public async Task Issuer_down_at_start_is_503_and_its_tokens_work_once_it_answers()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        await issuer.StopAsync();
        await using var host = await StartAsync(issuer);
        using (var refused = await AskAsync(host, Token(issuer, host, "a")))
            await HttpAssert.ProblemAsync(refused, 503, "identity_unavailable");
        Assert.Contains("Its tokens get 503 until a fetch succeeds", host.Log.All, StringComparison.Ordinal);
        await issuer.StartAsync();
        host.Time.Advance(AuthorityKeys.MinIntervalWithoutKeys);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "a")));
    }

    [Fact]
    public async Task Issuer_down_later_keeps_known_keys_and_answers_503_for_unknown_ones()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        await using var host = await StartAsync(issuer);
        await OpenedAsync(host, Token(issuer, host, "a"));
        await issuer.StopAsync();
        host.Time.Advance(AuthorityKeys.MinInterval);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Token(issuer, host, "b")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "a")));
        Assert.Contains("Known keys stay in use", host.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("""{"keys":7}""")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a","n":"?","e":"AQAB"}]}""")]
    public async Task Unusable_keys_are_503_at_start_and_ignored_later(string body)
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        issuer.KeysBody = body;
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Token(issuer, host, "a")));
        issuer.KeysBody = null;
        host.Time.Advance(AuthorityKeys.MinIntervalWithoutKeys);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "a")));
        issuer.KeysBody = body;
        await RefreshAsync(host, issuer);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "a")));
    }

    [Fact]
    public async Task A_published_symmetric_key_verifies_nothing()
    {
        var secret = new byte[32];
        await using var issuer = await OidcIssuer.StartAsync("a");
        issuer.KeysBody = JsonSerializer.Serialize(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "oct",
                        kid = "s",
                        k = System.Buffers.Text.Base64Url.EncodeToString(secret),
                    },
                    issuer.Jwk("a"),
                },
            }
        );
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Token(issuer, host, "a")));
        foreach (var header in new[] { Minted.Header("HS256", ("kid", "s")), Minted.Header("HS256") })
        {
            var claims = Minted.Claims(host.Time.GetUtcNow(), ("iss", issuer.Address), ("aud", "us"));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, Minted.Token(header, claims, Minted.Hs256(secret))));
        }
    }

    [Fact]
    public async Task A_set_of_hundreds_of_keys_is_refused()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        issuer.KeysBody = JsonSerializer.Serialize(new { keys = Enumerable.Repeat(issuer.Jwk("a"), 300) });
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Token(issuer, host, "a")));
        Assert.Contains("the JWK set has 300 keys; the limit is 100", host.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_discovery_document_over_the_limit_is_refused()
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        issuer.KeysBody = new string(' ', 600_000) + "{}";
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Token(issuer, host, "a")));
    }

    [Theory]
    [InlineData("https://other.example", null, "the discovery document names the issuer 'https://other.example'")]
    [InlineData(null, "http://keys.example/keys", "'http://keys.example/keys' is not an https address")]
    [InlineData(null, "file:///etc/passwd", "'file:///etc/passwd' is not an https address")]
    public async Task A_document_of_another_issuer_or_with_an_unsafe_URL_is_refused(string? named, string? keys, string reason)
    {
        await using var issuer = await OidcIssuer.StartAsync("a");
        (issuer.NamedIssuer, issuer.NamedKeys) = (named, keys);
        await using var host = await StartAsync(issuer);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Token(issuer, host, "a")));
        Assert.Contains(reason, host.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://login.example.com", true)]
    [InlineData("login.example.com", false)]
    [InlineData("ftp://login.example.com", false)]
    [InlineData("https://login.example.com/?a=b", false)]
    [InlineData("https://user@login.example.com", false)]
    public async Task An_authority_without_https_is_refused_at_start(string authority, bool isAllowedByOption)
    {
        Task<TestHost> Start(bool requiresHttps) =>
            TestHost.StartAsync(
                new HostSetup
                {
                    Tokens = tokens =>
                        tokens.TrustedIssuers.Add(
                            new TrustedIssuer
                            {
                                Issuer = "i",
                                Audience = "a",
                                Authority = authority,
                                RequireHttpsMetadata = requiresHttps,
                            }
                        ),
                }
            );
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(requiresHttps: true));
        Assert.Contains("AccessTokenOptions.TrustedIssuers[0].Authority", fault.Message, StringComparison.Ordinal);
        Assert.Equal(isAllowedByOption, new TrustedIssuer { Authority = authority, RequireHttpsMetadata = false }.AuthorityFault() is null);
    }

    [Fact]
    public async Task A_refresh_interval_out_of_range_is_refused_at_start()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestHost.StartAsync(
                new HostSetup
                {
                    Tokens = tokens =>
                        tokens.TrustedIssuers.Add(
                            new TrustedIssuer
                            {
                                Issuer = "i",
                                Audience = "a",
                                Authority = "https://login.example.com",
                                KeyRefreshInterval = TimeSpan.FromSeconds(1),
                            }
                        ),
                }
            )
        );
        Assert.Contains("AccessTokenOptions.TrustedIssuers[0].KeyRefreshInterval", fault.Message, StringComparison.Ordinal);
    }

    private static Task<EngineHost> StartAsync(OidcIssuer issuer) =>
        EngineHost.StartAsync(engine: dunlin =>
            dunlin.AddTokens(tokens =>
            {
                tokens.SigningKey = Convert.ToBase64String(new byte[32]);
                tokens.TrustedIssuers.Add(
                    new TrustedIssuer
                    {
                        Issuer = issuer.Address,
                        Audience = "us",
                        Authority = issuer.Address,
                        KeyRefreshInterval = Interval,
                    }
                );
            })
        );

    private static string Token(OidcIssuer issuer, EngineHost host, string key) =>
        issuer.Token(key, host.Time.GetUtcNow(), ("exp", host.Time.GetUtcNow().AddHours(3).ToUnixTimeSeconds()));

    /// <summary>Advances time to the periodic refresh and waits until the new keys are in use.</summary>
    private static async Task RefreshAsync(EngineHost host, OidcIssuer issuer)
    {
        var authority = host.Services.GetRequiredService<Authorities>().Find(issuer.Address)!;
        var fetched = issuer.WhenFetchedAsync();
        host.Time.Advance(Interval + TimeSpan.FromMinutes(1));
        await fetched;
        await authority.RefreshAsync(default); // joins the running fetch
    }

    private static async Task OpenedAsync(EngineHost host, string token) => Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, token));

    private static async Task<HttpStatusCode> StatusAsync(EngineHost host, string token)
    {
        using var response = await AskAsync(host, token);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> AskAsync(EngineHost host, string token)
    {
        using var client = host.Client(user: null);
        return await client.SendAsync(HttpMethod.Get, "/dunlin/v1/stats", token);
    }

    private static async Task<EventStreamReader<SseItem<string>>> OpenAsync(EngineHost host, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/events?topic=a");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        var client = host.Client(user: null);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await EventStreamReader<SseItem<string>>.OpenAsync(client, response, static item => item);
    }
}
