namespace Dunlin.Documents.Tests;

/// <summary>Administration: sessions, notifications, maintenance.</summary>
public sealed class AdminTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _alice = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private string _file = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _alice = await _host.SignInAsync("alice");
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _file = (await _bob.FilesAsync("letters")).Versions[0];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_ended_session_gets_the_reason_and_its_lock_is_free_at_once()
    {
        var (ended, reader) = (await _bob.SubscribeAsync(), await _carol.SubscribeAsync());
        var elsewhere = await _host.SignInAsync("bob");
        var stays = await elsewhere.SubscribeAsync();
        await _bob.LockAsync(_file);

        (await _alice.SendAsync(HttpMethod.Delete, $"admin/sessions/{_bob.SessionId}", null)).Ok();

        await ended.Ended;
        Assert.Equal(["connected", "forceLogout", "dunlin.goodbye"], ended.Frames.Select(f => f.Name));
        Assert.Equal("You have been signed out by an administrator", ended.Frames[1].Member("message"));
        Assert.Equal("signedOut", ended.Frames[2].Member("reason"));
        await reader.WhenAsync("lockReleased", file: _file);
        (await _carol.AcquireAsync(_file)).Ok();
        (await _bob.GetAsync("files/list")).Is(401, "not_signed_in");
        (await elsewhere.GetAsync("files/list")).Ok();
        Assert.Equal(0, stays.Count("forceLogout"));
        (await _alice.SendAsync(HttpMethod.Delete, $"admin/sessions/{_bob.SessionId}", null)).Is(404, "not_found");
    }

    [Fact]
    public async Task The_list_of_sessions_names_users_and_open_pages()
    {
        await _bob.SubscribeAsync();
        var sessions = (await _alice.GetAsync("admin/sessions")).Ok().Body.GetProperty("sessions").EnumerateArray().ToList();
        Assert.Equal(["alice", "bob", "carol"], sessions.Select(s => s.GetProperty("username").GetString()).Order(StringComparer.Ordinal));
        var bob = sessions.Single(s => s.GetProperty("username").GetString() == "bob");
        Assert.Equal(
            ("Bob Baker", 1, false),
            (bob.GetProperty("full_name").GetString(), bob.GetProperty("connections").GetInt32(), bob.GetProperty("is_mine").GetBoolean())
        );
        Assert.DoesNotContain("secret", bob.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_notification_reaches_every_session_except_the_sender()
    {
        var (own, bob, carol) = (await _alice.SubscribeAsync(), await _bob.SubscribeAsync(), await _carol.SubscribeAsync());
        (await _alice.PostAsync("admin/notifications", new { message = "Tea at four", variant = "success" })).Ok();
        await bob.WhenAsync("notification");
        await carol.WhenAsync("notification");
        Assert.Equal("{\"message\":\"Tea at four\",\"variant\":\"success\"}", bob.Frames[^1].Data);
        await _bob.LockAsync(_file);
        await own.WhenAsync("fileDataChanged");
        Assert.Equal(0, own.Count("notification"));
    }

    [Fact]
    public async Task Maintenance_blocks_writes_except_of_administrators_and_is_announced()
    {
        var stream = await _bob.SubscribeAsync();
        var lease = await _bob.LockAsync(_file);
        (
            await _alice.SendAsync(
                HttpMethod.Put,
                "admin/maintenance",
                System.Net.Http.Json.JsonContent.Create(new { on = true, message = "Back at noon" })
            )
        ).Ok();
        await stream.WhenAsync("maintenanceChanged");

        var refused = (await _bob.SaveAsync(_file, "<a/>", lease)).Is(503, "maintenance");
        Assert.Equal(("Back at noon", 30), (refused.Text("detail"), (int)refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
        foreach (
            var answer in new[]
            {
                await _bob.SaveNewAsync(_file, "<a/>"),
                await _bob.AcquireAsync(_file),
                await _carol.DeleteAsync(_file),
                await _carol.PostAsync($"files/{_file}/gold-standard", new { }),
                await _bob.PostAsync(
                    "files/import",
                    new
                    {
                        collection = "letters",
                        title = "t",
                        xml_string = "<a/>",
                    }
                ),
            }
        )
        {
            answer.Is(503, "maintenance");
        }
        Assert.True((await _carol.ListAsync()).GetProperty("maintenance").GetProperty("on").GetBoolean());
        // A lock that was acquired before can be kept.
        (await _bob.HeartbeatAsync(_file, lease)).Ok();
        (await _alice.SaveNewAsync(_file, "<a/>")).Ok();

        (await _alice.SendAsync(HttpMethod.Put, "admin/maintenance", System.Net.Http.Json.JsonContent.Create(new { on = false }))).Ok();
        (await _bob.SaveAsync(_file, "<a/>", lease)).Ok();
    }

    [Fact]
    public async Task Administration_needs_an_administrator()
    {
        foreach (
            var answer in new[]
            {
                await _carol.GetAsync("admin/sessions"),
                await _carol.SendAsync(HttpMethod.Delete, $"admin/sessions/{_bob.SessionId}", null),
                await _carol.PostAsync("admin/notifications", new { message = "x" }),
                await _carol.SendAsync(HttpMethod.Put, "admin/maintenance", System.Net.Http.Json.JsonContent.Create(new { on = true })),
                await _carol.SendAsync(HttpMethod.Put, "admin/collections/minutes/members/carol", null),
                await _carol.PostAsync($"files/{_file}/force-release", new { }),
            }
        )
        {
            answer.Is(403, "forbidden");
        }
    }
}
