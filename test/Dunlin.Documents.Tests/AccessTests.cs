using System.Net.Http.Json;

namespace Dunlin.Documents.Tests;

/// <summary>Guarantee G4: a user without access to a collection learns nothing about it.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    // Names and titles of the collection "personnel" only.
    private static readonly string[] Secrets = ["personnel", "Personnel", "Testimonial"];

    private DocumentsHost _host = null!;
    private DocumentsClient _alice = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private string _hidden = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _alice = await _host.SignInAsync("alice");
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _hidden = (await _carol.FilesAsync("personnel")).Versions[0];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task G4_The_raw_stream_contains_nothing_of_an_inaccessible_collection()
    {
        var (stranger, member) = (await _bob.SubscribeAsync(), await _alice.SubscribeAsync());
        var ids = new List<string> { _hidden };
        var lease = await _carol.LockAsync(_hidden);
        (await _carol.SaveAsync(_hidden, "<secret/>", lease)).Ok();
        ids.Add((await _carol.SaveNewAsync(_hidden, "<secret/>")).Ok().Text("file_id")!);
        ids.Add((
                await _carol.PostAsync(
                    "files/import",
                    new
                    {
                        collection = "personnel",
                        title = "Testimonial 2",
                        xml_string = "<secret/>",
                    }
                )
            ).Ok().Text("file_id")!);
        (await _carol.PostAsync($"files/{ids[1]}/gold-standard", new { })).Ok();
        (await _alice.WaitForAsync(_hidden)).Ok();
        (await _alice.ReleaseAsync(_hidden)).Ok();
        (await _carol.ReleaseAsync(_hidden, lease)).Ok();
        await _carol.LockAsync(_hidden);
        _host.Time.Advance(TimeSpan.FromSeconds(92));
        await member.WhenAsync("fileDataChanged", "lock_expired", _hidden);
        await _carol.LockAsync(ids[2]);
        (await _carol.DeleteAsync(ids[2])).Ok();

        // Events arrive in order: after this one no earlier event can follow.
        (await _alice.PostAsync("admin/notifications", new { message = "the end" })).Ok();
        await stranger.WhenAsync("notification");

        Assert.Equal(["connected", "notification"], stranger.Frames.Select(f => f.Name));
        Assert.All(ids.Concat(Secrets), secret => Assert.DoesNotContain(secret, stranger.Text, StringComparison.Ordinal));
        Assert.True(member.Count("fileDataChanged") >= 6);
    }

    [Fact]
    public async Task G4_A_resumed_stream_contains_nothing_of_an_inaccessible_collection()
    {
        string id;
        await using (var first = await RawStream.OpenAsync(_bob.Http, "/api/v1/sse/subscribe"))
            id = first.Text.Split('\n').Single(line => line.StartsWith("id: ", StringComparison.Ordinal))[4..];
        await _carol.LockAsync(_hidden);
        (await _alice.PostAsync("admin/notifications", new { message = "the end" })).Ok();
        var resumed = await _bob.SubscribeAsync($"/api/v1/sse/subscribe?lastEventId={id}");
        await resumed.WhenAsync("notification");
        Assert.Equal(["connected", "notification"], resumed.Frames.Select(f => f.Name));
        Assert.DoesNotContain(_hidden, resumed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G4_An_inaccessible_file_is_answered_like_a_missing_one()
    {
        await _carol.LockAsync(_hidden);
        foreach (
            var call in new Func<string, Task<Answer>>[]
            {
                id => _bob.GetAsync($"files/{id}"),
                id => _bob.GetAsync($"files/{id}/history"),
                _bob.AcquireAsync,
                id => _bob.HeartbeatAsync(id),
                id => _bob.ReleaseAsync(id),
                id => _bob.PostAsync("files/check_lock", new { file_id = id }),
                id => _bob.SaveAsync(id, "<a/>", 1),
                id => _bob.SaveNewAsync(id, "<a/>"),
                id => _bob.DeleteAsync(id),
                id => _bob.PostAsync($"files/{id}/gold-standard", new { }),
            }
        )
        {
            var (unseen, unknown) = ((await call(_hidden)).Is(404, "not_found"), (await call("never-was-one")).Is(404, "not_found"));
            Assert.Equal(unknown.Text("detail")!.Replace("never-was-one", _hidden, StringComparison.Ordinal), unseen.Text("detail"));
        }
        var (collection, never) = (await ImportAsync("personnel"), await ImportAsync("never"));
        Assert.Equal((404, 404), (collection.Code, never.Code));
        var all = (await _bob.ListAsync()).ToString() + (await _bob.GetAsync("files/locks")).Ok().Body;
        Assert.All(Secrets.Append(_hidden), secret => Assert.DoesNotContain(secret, all, StringComparison.Ordinal));

        Task<Answer> ImportAsync(string id) =>
            _bob.PostAsync(
                "files/import",
                new
                {
                    collection = id,
                    title = "t",
                    xml_string = "<a/>",
                }
            );
    }

    [Theory]
    [InlineData("/dunlin/v1/events?topic=documents/personnel")]
    [InlineData("/dunlin/v1/events?topic=documents")]
    [InlineData("/dunlin/v1/events?topic=documents/letters/x")]
    [InlineData("/dunlin/v1/events?topic=documents-users/carol")]
    [InlineData("/dunlin/v1/presence?topic=documents/personnel")]
    [InlineData("/dunlin/v1/journal?topic=documents/personnel")]
    public async Task G4_Engine_endpoints_refuse_inaccessible_topics_too(string path)
    {
        using var response = await _bob.Http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(403, (int)response.StatusCode);
    }

    [Fact]
    public async Task G4_Locks_of_an_inaccessible_collection_are_not_listed()
    {
        await _carol.LockAsync(_hidden);
        using var response = await _bob.Http.GetAsync(new Uri("/dunlin/v1/leases?prefix=documents", UriKind.Relative));
        Assert.DoesNotContain(_hidden, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notifications_do_not_reveal_other_sessions()
    {
        await _carol.SubscribeAsync();
        var stream = await _bob.SubscribeAsync("/dunlin/v1/events?topic=documents-notices");
        var presence = await _bob.Http.GetFromJsonAsync<System.Text.Json.JsonElement>("/dunlin/v1/presence?topic=documents-notices");
        Assert.Equal(0, presence.GetProperty("present").GetArrayLength());
        (await _alice.PostAsync("admin/notifications", new { message = "the end" })).Ok();
        await stream.WhenAsync("notification");
        Assert.DoesNotContain("carol", stream.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task G4_Revoked_access_also_ends_for_open_streams_at_once()
    {
        var stream = await _carol.SubscribeAsync();
        await _alice.LockAsync(_hidden);
        await stream.WhenAsync("fileDataChanged", "lock_acquired", _hidden);
        (await _alice.SendAsync(HttpMethod.Delete, "admin/collections/personnel/members/carol", null)).Ok();
        await stream.WhenAsync("fileDataChanged", "collections_changed");
        await stream.WhenAsync("dunlin.revoked");
        (await _alice.ReleaseAsync(_hidden)).Ok();
        (await _alice.PostAsync("admin/notifications", new { message = "the end" })).Ok();
        await stream.WhenAsync("notification");
        Assert.Equal(0, stream.Count("lockReleased"));
        (await _carol.GetAsync($"files/{_hidden}")).Is(404, "not_found");

        (await _alice.SendAsync(HttpMethod.Put, "admin/collections/personnel/members/carol", null)).Ok();
        var again = await _carol.SubscribeAsync();
        await _alice.LockAsync(_hidden);
        await again.WhenAsync("fileDataChanged", "lock_acquired", _hidden);
    }

    [Fact]
    public async Task Without_a_sign_in_every_request_is_refused()
    {
        using var http = new HttpClient { BaseAddress = _host.Address };
        foreach (var path in new[] { "sse/subscribe", "files/list", "files/locks", $"files/{_hidden}", "admin/sessions" })
        {
            using var response = await http.GetAsync(new Uri("/api/v1/" + path, UriKind.Relative));
            Assert.Equal(401, (int)response.StatusCode);
        }
        using var save = await http.PostAsJsonAsync("/api/v1/files/save", new { xml_string = "<a/>", file_id = _hidden });
        Assert.Equal(401, (int)save.StatusCode);
    }
}
