using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.AspNetCore.Tests;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Builder;

namespace Dunlin.Identity.Tests;

public sealed class SigningInTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _plain = _host.Plain();
        await _host.CreateAsync("alice", "user", "admin");
        await _host.CreateAsync("bob");
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Sign_in_follows_the_contract_and_sets_a_secure_cookie()
    {
        using var response = await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username = "ALICE", password = TestHost.Password });
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(
            ["userId", "username", "fullName", "roles", "sessionId", "accessToken", "expiresIn"],
            answer.EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal("id-alice", answer.GetProperty("userId").GetString());
        Assert.Equal("alice", answer.GetProperty("username").GetString());
        Assert.Equal("alice Example", answer.GetProperty("fullName").GetString());
        Assert.Equal(["user", "admin"], answer.GetProperty("roles").EnumerateArray().Select(role => role.GetString()!));
        Assert.Equal(900, answer.GetProperty("expiresIn").GetInt32());
        Assert.True(response.Headers.CacheControl!.NoStore);

        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith($"dunlin_session={answer.GetProperty("sessionId").GetString()}.", cookie, StringComparison.Ordinal);
        var flags = cookie.Split("; ").Skip(1).ToList();
        Assert.Contains("httponly", flags);
        Assert.Contains("samesite=lax", flags);
        Assert.Contains("path=/", flags);
        Assert.Contains("max-age=604800", flags);
        Assert.DoesNotContain("secure", flags);
        Assert.DoesNotContain(flags, flag => flag.StartsWith("domain", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cookie_set_over_https_is_Secure()
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Map = app =>
                    app.Use(
                        (context, next) =>
                        {
                            context.Request.Scheme = "https"; // from the forwarded headers of a proxy
                            return next(context);
                        }
                    ),
            }
        );
        await host.CreateAsync("alice");
        using var client = host.Plain();
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = "alice", password = TestHost.Password });
        Assert.Contains("; secure", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_contains_no_usable_credential()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        var session = Assert.Single(_host.SessionStore.All);
        Assert.Equal(signedIn.SessionId, session.SessionId);
        Assert.DoesNotContain(signedIn.Cookie.Split('.')[1], session.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            TestHost.Password,
            (await _host.AccountStore.FindByIdAsync("id-alice", default))!.PasswordHash,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("alice ")]
    [InlineData(" alice")]
    [InlineData("\u00a0alice\u3000\t")]
    public async Task Spaces_around_a_user_name_are_removed(string username)
    {
        using var response = await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username, password = TestHost.Password });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var blank = await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username = "  ", password = TestHost.Password });
        Assert.Equal("username", (await HttpAssert.ProblemAsync(blank, 400, "invalid_field")).GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("alice", "wrong password")]
    [InlineData("nobody", "wrong password")]
    [InlineData("alice", "correct horse battery ")]
    [InlineData("al ice", "correct horse battery")]
    public async Task A_wrong_name_and_a_wrong_password_get_the_same_answer(string username, string password)
    {
        using var response = await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username, password });
        var problem = await HttpAssert.ProblemAsync(response, 401, "invalid_credentials");
        Assert.Equal("The user name or the password is wrong.", problem.GetProperty("detail").GetString());
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task An_unknown_name_costs_the_same_hash()
    {
        await using var host = await TestHost.StartAsync(
            new HostSetup
            {
                Services = services =>
                    Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<
                        Microsoft.AspNetCore.Identity.IPasswordHasher<AccountUser>,
                        CountingHasher
                    >(services),
            }
        );
        await host.CreateAsync("alice");
        var hasher = (CountingHasher)host.Services.GetService(typeof(Microsoft.AspNetCore.Identity.IPasswordHasher<AccountUser>))!;
        Assert.Null(await host.Accounts.CheckPasswordAsync("alice", "wrong", default));
        Assert.Equal(1, hasher.Verified);
        Assert.Null(await host.Accounts.CheckPasswordAsync("nobody", "wrong", default));
        Assert.Equal(2, hasher.Verified);
    }

    [Fact]
    public async Task Each_credential_authenticates_the_same_user()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        foreach (var (token, cookie) in new (string?, string?)[] { (signedIn.Token, null), (null, signedIn.Cookie) })
        {
            using var response = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", token, cookie);
            var who = await response.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal("id-alice", who.GetProperty("userId").GetString());
            Assert.Equal("alice Example", who.GetProperty("name").GetString());
            Assert.Equal(signedIn.SessionId, who.GetProperty("sessionId").GetString());
            Assert.Equal(["admin", "user"], who.GetProperty("roles").EnumerateArray().Select(role => role.GetString()!));
        }
    }

    [Fact]
    public async Task Status_reports_the_signed_in_user_or_none()
    {
        using var nobody = await _plain.SendAsync(HttpMethod.Get, "/api/v1/auth/status");
        Assert.False((await nobody.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("signedIn").GetBoolean());
        var signedIn = await _host.SignInAsync(_plain, "alice");
        using var somebody = await _plain.SendAsync(HttpMethod.Get, "/api/v1/auth/status", cookie: signedIn.Cookie);
        var status = await somebody.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(status.GetProperty("signedIn").GetBoolean());
        Assert.Equal("id-alice", status.GetProperty("userId").GetString());
        Assert.Equal(signedIn.SessionId, status.GetProperty("sessionId").GetString());
    }

    [Fact]
    public async Task The_first_credential_decides()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        using var badToken = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", "nonsense", signedIn.Cookie);
        await HttpAssert.ProblemAsync(badToken, 401, "not_signed_in");
        using var otherScheme = await _plain.SendAsync(
            HttpMethod.Get,
            "/api/whoami",
            cookie: signedIn.Cookie,
            headers: ("Authorization", "Basic YTpi")
        );
        Assert.Equal(HttpStatusCode.OK, otherScheme.StatusCode);
    }

    [Fact]
    public async Task Every_refused_credential_gets_the_same_answer()
    {
        var signedIn = await _host.SignInAsync(_plain, "alice");
        var id = signedIn.SessionId;
        var texts = new HashSet<string>();
        foreach (
            var (token, cookie) in new (string?, string?)[]
            {
                (null, null),
                ("", null),
                ("x", null),
                ("a.b.c", null),
                (signedIn.Token[..^3] + "AAA", null),
                (signedIn.Token + "x", null),
                (new string('a', 9000), null),
                (null, "x"),
                (null, $"{id}."),
                (null, $"{id}.{new string('A', 43)}"),
                (null, $".{signedIn.Cookie.Split('.')[1]}"),
                (null, signedIn.Cookie + "x"),
                (null, signedIn.Cookie.ToUpperInvariant()),
                (null, new string('a', 5000)),
            }
        )
        {
            foreach (var path in new[] { "/api/whoami", "/api/guarded" })
            {
                using var response = await _plain.SendAsync(HttpMethod.Get, path, token, cookie);
                var problem = await HttpAssert.ProblemAsync(response, 401, "not_signed_in");
                Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
                texts.Add(problem.GetProperty("detail").GetString()!);
            }
        }
        Assert.Single(texts);
    }

    [Theory]
    [InlineData("login", "", "application/json", 400, "invalid_json", null)]
    [InlineData("login", "{", "application/json", 400, "invalid_json", null)]
    [InlineData("login", "username=a&password=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type", null)]
    [InlineData("login", """{"username":"a","password":"b","remember":true}""", "application/json", 400, "unknown_field", "remember")]
    [InlineData("login", """{"username":"a"}""", "application/json", 400, "invalid_field", "password")]
    [InlineData("login", """{"username":null,"password":"b"}""", "application/json", 400, "invalid_field", "username")]
    [InlineData("login", """{"username":["a"],"password":"b"}""", "application/json", 400, "invalid_field", "username")]
    [InlineData("login", """{"username":"a","password":5}""", "application/json", 400, "invalid_field", "password")]
    [InlineData("login", """{"username":"","password":"b"}""", "application/json", 400, "invalid_field", "username")]
    [InlineData("login", """{"username":"a","password":""}""", "application/json", 400, "invalid_field", "password")]
    [InlineData("login", """[{"username":"a","password":"b"}]""", "application/json", 400, "invalid_field", null)]
    public async Task An_invalid_body_is_refused_and_named(
        string call,
        string body,
        string contentType,
        int status,
        string code,
        string? field
    )
    {
        using var response = await _plain.PostAsync($"/api/v1/auth/{call}", HttpAssert.Json(body, contentType));
        var problem = await HttpAssert.ProblemAsync(response, status, code);
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData(101, 1, 400, "invalid_field")]
    [InlineData(1, 257, 400, "invalid_field")]
    [InlineData(1, 5000, 413, "too_large")]
    [InlineData(1, 2_000_000, 413, "too_large")]
    public async Task A_too_long_name_or_password_is_refused_before_hashing(int name, int password, int status, string code)
    {
        using var response = await _plain.PostAsJsonAsync(
            "/api/v1/auth/login",
            new { username = new string('a', name), password = new string('b', password) }
        );
        await HttpAssert.ProblemAsync(response, status, code);
    }

    [Theory]
    [InlineData("GET", "login")]
    [InlineData("PUT", "refresh")]
    [InlineData("GET", "logout")]
    [InlineData("POST", "status")]
    [InlineData("GET", "ticket")]
    public async Task A_wrong_method_is_refused(string method, string call)
    {
        using var response = await _plain.SendAsync(new HttpMethod(method), $"/api/v1/auth/{call}");
        await HttpAssert.ProblemAsync(response, 405, "method_not_allowed");
    }

    [Fact]
    public async Task Accounts_that_could_not_sign_in_are_not_created()
    {
        var cases = new (NewAccount Account, string Code)[]
        {
            (new("", "long enough", "Name", []), "invalid_field"),
            (new(" x", "long enough", "Name", []), "invalid_field"),
            (new("x\n", "long enough", "Name", []), "invalid_field"),
            (new(new string('x', 101), "long enough", "Name", []), "invalid_field"),
            (new("x", "short", "Name", []), "invalid_field"),
            (new("x", new string('x', 257), "Name", []), "invalid_field"),
            (new("x", "long enough", "", []), "invalid_field"),
            (new("Alice", "long enough", "Name", []), "conflict"),
            (new("x", "long enough", "Name", []) { UserId = "id-alice" }, "conflict"),
        };
        foreach (var (account, code) in cases)
            Assert.Equal(
                code,
                (await Assert.ThrowsAsync<DunlinException>(async () => await _host.Accounts.CreateAsync(account, default))).Code.Code
            );
        Assert.DoesNotContain("long enough", cases[0].Account.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            "not_found",
            (await Assert.ThrowsAsync<DunlinException>(async () => await _host.Accounts.SetRolesAsync("nobody", [], default))).Code.Code
        );
    }

    [Fact]
    public async Task The_log_contains_no_secret()
    {
        var secrets = new List<string> { TestHost.Password, "wrong-password-typed" };
        var signedIn = await _host.SignInAsync(_plain, "alice");
        secrets.AddRange([signedIn.Token, signedIn.Token.Split('.')[2], signedIn.Cookie, signedIn.Cookie.Split('.')[1]]);
        using (await _plain.PostAsJsonAsync("/api/v1/auth/login", new { username = "alice", password = "wrong-password-typed" }))
        using (var ticketed = await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/ticket", signedIn.Token))
        {
            var ticket = (await ticketed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ticket").GetString()!;
            using (await _plain.SendAsync(HttpMethod.Get, $"/api/stream?ticket={ticket}"))
            using (await _plain.SendAsync(HttpMethod.Get, "/api/whoami", signedIn.Token + "x"))
            using (await _plain.SendAsync(HttpMethod.Get, "/api/whoami", cookie: signedIn.Cookie + "x"))
            using (await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/refresh", cookie: signedIn.Cookie))
            using (await _plain.SendAsync(HttpMethod.Post, "/api/v1/auth/logout", signedIn.Token)) { }
            // ASP.NET Core logs addresses unless its category is set to Warning. A logged ticket is already used.
            Assert.DoesNotContain(
                _host.Log.Lines,
                line => line.StartsWith("Dunlin", StringComparison.Ordinal) && line.Contains(ticket, StringComparison.Ordinal)
            );
        }
        foreach (var secret in secrets)
            Assert.DoesNotContain(secret, _host.Log.All, StringComparison.Ordinal);
        foreach (var id in new[] { " 4020 ", " 4021 ", " 4023 ", " 4030 ", " 4031 " })
            Assert.Contains(id, _host.Log.All, StringComparison.Ordinal);
    }

    private sealed class CountingHasher : Microsoft.AspNetCore.Identity.IPasswordHasher<AccountUser>
    {
        public int Verified { get; private set; }

        public string HashPassword(AccountUser user, string password) => $"hash of {password.Length}";

        public Microsoft.AspNetCore.Identity.PasswordVerificationResult VerifyHashedPassword(
            AccountUser user,
            string hashedPassword,
            string providedPassword
        )
        {
            Verified++;
            return Microsoft.AspNetCore.Identity.PasswordVerificationResult.Failed;
        }
    }
}
