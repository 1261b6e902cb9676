using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Claims;
using Dunlin.Security;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Applications with another default scheme and Dunlin's scheme registered beside it.</summary>
public sealed class SchemeTests
{
    private static readonly byte[] ForeignKey = new byte[32];
    private static readonly byte[] OwnKey = [.. Enumerable.Repeat((byte)7, 32)];

    [Fact]
    public async Task Cookies_of_aspnet_core_identity_sign_in_to_dunlin()
    {
        await using var host = await StartAsync(
            services =>
            {
                services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
                services.AddIdentityCore<IdentityUser>().AddUserStore<OneUserStore>().AddSignInManager();
            },
            app =>
                app.MapPost("/app/login", (SignInManager<IdentityUser> signIn) => signIn.SignInAsync(OneUserStore.Ann, isPersistent: false))
        );
        await RequireSignedOutAsync(host);
        var cookie = await LoginAsync(host);
        await RequireSignedInAsync(host, "ann", ("Cookie", cookie));
        await RequireOriginCheckAsync(host, cookie);
        // The cookie authenticates, so an additional token does not exempt from the origin check.
        using var both = await SendAsync(
            host,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic = "a",
                type = "e",
                data = 1,
            },
            ("Cookie", cookie),
            ("Origin", "https://evil.example"),
            ("Authorization", OwnToken(host))
        );
        await HttpAssert.ProblemAsync(both, 403, "origin_refused");
        await RequireChallengeAsync(host, HttpStatusCode.Found, "/Account/Login");
        await RequireOwnSchemeBesideAsync(host, HttpStatusCode.Found);
    }

    [Fact]
    public async Task JwtBearer_of_a_foreign_issuer_signs_in_to_dunlin()
    {
        await using var host = await StartAsync(services =>
            services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(Foreign)
        );
        await RequireSignedOutAsync(host);
        // The page must set the header itself, so an additional cookie has no effect.
        await RequireSignedInAsync(host, "ann", ("Authorization", ForeignToken()), ("Cookie", "any=1"), ("Origin", "https://evil.example"));
        using var forged = await SendAsync(host, HttpMethod.Get, "/dunlin/v1/stats", null, ("Authorization", ForeignToken() + "A"));
        await HttpAssert.ProblemAsync(forged, 401, "not_signed_in");
        await RequireChallengeAsync(host, HttpStatusCode.Unauthorized, "Bearer");
        await RequireOwnSchemeBesideAsync(host, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_policy_scheme_forwards_to_one_of_two_schemes()
    {
        await using var host = await StartAsync(
            services =>
                services
                    .AddAuthentication("either")
                    .AddPolicyScheme(
                        "either",
                        displayName: null,
                        options =>
                            options.ForwardDefaultSelector = context =>
                                context.Request.Headers.ContainsKey("Authorization")
                                    ? JwtBearerDefaults.AuthenticationScheme
                                    : CookieAuthenticationDefaults.AuthenticationScheme
                    )
                    .AddCookie()
                    .AddJwtBearer(Foreign),
            app =>
                app.MapPost(
                    "/app/login",
                    (HttpContext context) =>
                        context.SignInAsync(
                            CookieAuthenticationDefaults.AuthenticationScheme,
                            new ClaimsPrincipal(new ClaimsIdentity([new("sub", "ann")], "cookie"))
                        )
                )
        );
        await RequireSignedOutAsync(host);
        var cookie = await LoginAsync(host);
        await RequireSignedInAsync(host, "ann", ("Cookie", cookie));
        await RequireSignedInAsync(host, "ann", ("Authorization", ForeignToken()));
        await RequireOriginCheckAsync(host, cookie);
        await RequireChallengeAsync(host, HttpStatusCode.Found, "/Account/Login");
        await RequireOwnSchemeBesideAsync(host, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_application_with_one_scheme_needs_no_setting()
    {
        await using var host = await EngineHost.StartAsync(services => services.AddAuthentication().AddJwtBearer(Foreign));
        await RequireSignedInAsync(host, "ann", ("Authorization", ForeignToken()));
        await RequireSignedOutAsync(host);
    }

    [Fact]
    public async Task Dunlin_registers_its_scheme_and_sets_no_default()
    {
        await using var host = await StartAsync(services => services.AddAuthentication().AddCookie());
        var schemes = host.Services.GetRequiredService<IAuthenticationSchemeProvider>();
        Assert.NotNull(await schemes.GetSchemeAsync(DunlinAuthentication.Scheme));
        Assert.Null(await schemes.GetDefaultAuthenticateSchemeAsync());
        Assert.Null(await schemes.GetDefaultChallengeSchemeAsync());
        await RequireSignedInAsync(host, "own", ("Authorization", OwnToken(host)));
        await RequireSignedOutAsync(host);
    }

    /// <summary>Opens a stream, publishes and takes a lease.</summary>
    private static async Task RequireSignedInAsync(EngineHost host, string user, params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/events?topic=a");
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        var client = host.Client(user: null);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var stream = await EventStreamReader<SseItem<string>>.OpenAsync(client, response, static item => item);
        using var published = await SendAsync(
            host,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic = "a",
                type = "e",
                data = 1,
            },
            headers
        );
        Assert.Equal(HttpStatusCode.OK, published.StatusCode);
        Assert.Equal("1", (await stream.UntilAsync("e")).Data);
        var leaseId = Guid.NewGuid().ToString("N");
        using var lease = await SendAsync(host, HttpMethod.Put, $"/dunlin/v1/leases/{leaseId}", new { leaseId }, headers);
        var json = await lease.Content.ReadAsStringAsync();
        Assert.True(lease.IsSuccessStatusCode, json);
        Assert.Contains($"\"{user}\"", json, StringComparison.Ordinal);
    }

    private static async Task RequireSignedOutAsync(EngineHost host)
    {
        using var stream = await SendAsync(host, HttpMethod.Get, "/dunlin/v1/events?topic=a", null);
        await HttpAssert.ProblemAsync(stream, 401, "not_signed_in");
        using var publish = await SendAsync(
            host,
            HttpMethod.Post,
            "/dunlin/v1/events",
            new
            {
                topic = "a",
                type = "e",
                data = 1,
            }
        );
        await HttpAssert.ProblemAsync(publish, 401, "not_signed_in");
    }

    private static async Task RequireOriginCheckAsync(EngineHost host, string cookie)
    {
        var draft = new
        {
            topic = "a",
            type = "e",
            data = 1,
        };
        using var publish = await SendAsync(
            host,
            HttpMethod.Post,
            "/dunlin/v1/events",
            draft,
            ("Cookie", cookie),
            ("Origin", "https://evil.example")
        );
        await HttpAssert.ProblemAsync(publish, 403, "origin_refused");
        using var stream = await SendAsync(
            host,
            HttpMethod.Get,
            "/dunlin/v1/events?topic=a",
            null,
            ("Cookie", cookie),
            ("Sec-Fetch-Site", "cross-site")
        );
        await HttpAssert.ProblemAsync(stream, 403, "origin_refused");
    }

    /// <summary>The application's scheme challenges for the application's endpoints.</summary>
    private static async Task RequireChallengeAsync(EngineHost host, HttpStatusCode status, string where)
    {
        using var response = await SendAsync(host, HttpMethod.Get, "/app/private", null);
        Assert.Equal(status, response.StatusCode);
        var challenge =
            status == HttpStatusCode.Found ? response.Headers.Location!.AbsolutePath : response.Headers.WwwAuthenticate.ToString();
        Assert.Contains(where, challenge, StringComparison.Ordinal);
    }

    /// <summary>A Dunlin token is accepted by Dunlin's endpoints, but not by the application's.</summary>
    private static async Task RequireOwnSchemeBesideAsync(EngineHost host, HttpStatusCode refusal)
    {
        var token = OwnToken(host);
        await RequireSignedInAsync(host, "own", ("Authorization", token));
        using var response = await SendAsync(host, HttpMethod.Get, "/app/private", null, ("Authorization", token));
        Assert.Equal(refusal, response.StatusCode);
    }

    private static Task<EngineHost> StartAsync(Action<IServiceCollection> schemes, Action<WebApplication>? map = null) =>
        EngineHost.StartAsync(
            services =>
            {
                services.AddAuthorization().AddDataProtection().UseEphemeralDataProtectionProvider();
                schemes(services);
            },
            dunlin => dunlin.AddTokens(tokens => tokens.SigningKey = Convert.ToBase64String(OwnKey)),
            app =>
            {
                app.MapGet("/app/private", () => "in").RequireAuthorization();
                map?.Invoke(app);
            }
        );

    private static async Task<string> LoginAsync(EngineHost host)
    {
        using var response = await SendAsync(host, HttpMethod.Post, "/app/login", null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var own = await SendAsync(host, HttpMethod.Get, "/app/private", null, ("Cookie", cookie));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        return cookie;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        EngineHost host,
        HttpMethod method,
        string path,
        object? body,
        params (string, string)[] headers
    )
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        client.BaseAddress = host.Address;
        return await client.SendAsync(method, path, content: body is null ? null : JsonContent.Create(body), headers: headers);
    }

    private static void Foreign(JwtBearerOptions options) =>
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidIssuer = "foreign",
            ValidAudience = "app",
            IssuerSigningKey = new SymmetricSecurityKey(ForeignKey),
        };

    // The other scheme uses the system clock; Dunlin uses the manual one.
    private static string ForeignToken() =>
        "Bearer "
        + Minted.Token(
            """{"alg":"HS256","typ":"JWT"}""",
            """{"iss":"foreign","aud":"app","sub":"ann","exp":4102444800}""",
            Minted.Hs256(ForeignKey)
        );

    private static string OwnToken(EngineHost host) =>
        "Bearer " + Minted.Token(Minted.Header("HS256"), Minted.Claims(host.Time.GetUtcNow(), ("sub", "own")), Minted.Hs256(OwnKey));

    private sealed class OneUserStore : IUserStore<IdentityUser>
    {
        public static IdentityUser Ann { get; } = new("ann") { Id = "ann", SecurityStamp = "1" };

        public Task<IdentityResult> CreateAsync(IdentityUser user, CancellationToken cancellationToken) =>
            Task.FromResult(IdentityResult.Success);

        public Task<IdentityResult> DeleteAsync(IdentityUser user, CancellationToken cancellationToken) =>
            Task.FromResult(IdentityResult.Success);

        public Task<IdentityResult> UpdateAsync(IdentityUser user, CancellationToken cancellationToken) =>
            Task.FromResult(IdentityResult.Success);

        public Task<IdentityUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Task.FromResult<IdentityUser?>(Ann);

        public Task<IdentityUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
            Task.FromResult<IdentityUser?>(Ann);

        public Task<string?> GetNormalizedUserNameAsync(IdentityUser user, CancellationToken cancellationToken) =>
            Task.FromResult(user.NormalizedUserName);

        public Task<string> GetUserIdAsync(IdentityUser user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

        public Task<string?> GetUserNameAsync(IdentityUser user, CancellationToken cancellationToken) => Task.FromResult(user.UserName);

        public Task SetNormalizedUserNameAsync(IdentityUser user, string? normalizedName, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public Task SetUserNameAsync(IdentityUser user, string? userName, CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose() { }
    }
}
