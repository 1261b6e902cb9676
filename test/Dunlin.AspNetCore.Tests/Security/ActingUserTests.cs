using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>A page names its user. Credentials of another user are refused before the request has an effect.</summary>
public sealed class ActingUserTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _plain = null!;
    private SignedIn _alice = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _plain = _host.Plain();
        await _host.CreateAsync("alice", "admin");
        await _host.CreateAsync("bob");
        _alice = await _host.SignInAsync(_plain, "alice");
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        await _host.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", "/api/whoami")]
    [InlineData("POST", "/api/write")]
    [InlineData("GET", "/api/stream")]
    [InlineData("GET", "/api/guarded")]
    [InlineData("POST", "/api/guarded")]
    [InlineData("GET", "/api/admin")]
    [InlineData("POST", "/api/v1/auth/refresh")]
    [InlineData("POST", "/api/v1/auth/ticket")]
    [InlineData("POST", "/api/v1/auth/logout")]
    public async Task Another_users_credential_is_refused(string method, string path)
    {
        foreach (var (token, cookie) in new (string?, string?)[] { (null, _alice.Cookie), (_alice.Token, null) })
        {
            using var named = await _plain.SendAsync(new HttpMethod(method), path, token, cookie, headers: ("Dunlin-User", "id-bob"));
            await HttpAssert.ProblemAsync(named, 409, "user_changed");
            using var inQuery = await _plain.SendAsync(new HttpMethod(method), $"{path}?dunlin-user=id-bob", token, cookie);
            await HttpAssert.ProblemAsync(inQuery, 409, "user_changed");
        }
        // The refused logout had no effect: the session is still valid.
        using var own = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", cookie: _alice.Cookie, headers: ("Dunlin-User", "id-alice"));
        Assert.Equal("id-alice", (await own.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("userId").GetString());
    }

    [Theory]
    [InlineData("id-alice", 200)]
    [InlineData("id%2Dalice", 200)]
    [InlineData("ID-ALICE", 409)]
    [InlineData("id-alic", 409)]
    [InlineData("id-alice%20", 409)]
    [InlineData("id-alice%00", 409)]
    [InlineData("%", 409)]
    [InlineData("", 400)]
    public async Task The_complete_id_is_compared_after_percent_decoding(string named, int status)
    {
        using var response = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", _alice.Token, headers: ("Dunlin-User", named));
        Assert.Equal(status, (int)response.StatusCode);
        using var inQuery = await _plain.SendAsync(HttpMethod.Get, $"/api/whoami?dunlin-user={named}", _alice.Token);
        Assert.Equal(status, (int)inQuery.StatusCode);
    }

    [Fact]
    public async Task Two_named_users_are_refused()
    {
        using var twice = await _plain.SendAsync(HttpMethod.Get, "/api/whoami?dunlin-user=id-alice&dunlin-user=id-bob", _alice.Token);
        var problem = await HttpAssert.ProblemAsync(twice, 400, "invalid_field");
        Assert.Equal("dunlin-user", problem.GetProperty("field").GetString());
        using var both = await _plain.SendAsync(
            HttpMethod.Get,
            "/api/whoami?dunlin-user=id-bob",
            _alice.Token,
            headers: ("Dunlin-User", "id-alice")
        );
        await HttpAssert.ProblemAsync(both, 409, "user_changed");
    }

    [Fact]
    public async Task Without_a_credential_the_answer_is_401_and_names_no_user()
    {
        using var nobody = await _plain.SendAsync(HttpMethod.Get, "/api/whoami", headers: ("Dunlin-User", "id-bob"));
        await HttpAssert.ProblemAsync(nobody, 401, "not_signed_in");
        using var login = await _plain.SendAsync(
            HttpMethod.Post,
            "/api/v1/auth/login",
            cookie: _alice.Cookie,
            content: JsonContent.Create(new { username = "bob", password = TestHost.Password }),
            headers: ("Dunlin-User", "id-alice")
        );
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
    }
}
