using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Dunlin.Documents.Tests;

/// <summary>Shared drafts: start, edits, save, end, and their exclusion of locks.</summary>
public sealed class SharedDraftTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private DocumentsClient _dave = null!;
    private string _file = null!;
    private string _gold = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _dave = await _host.SignInAsync("dave");
        var (gold, versions) = await _bob.FilesAsync("letters");
        (_gold, _file) = (gold, versions[0]);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Start_shares_the_stored_text_and_all_members_see_it_in_the_list()
    {
        var started = await StartAsync(_bob, 201);
        Assert.Equal(("lf", "Bob Baker"), (started.Text("line_break"), started.Text("started_by")));
        var joined = await StartAsync(_carol, 200);
        Assert.Equal(started.Text("id"), joined.Text("id"));
        Assert.Contains(await _bob.ReadTextAsync(_file), await DraftAsync(_dave, started), StringComparison.Ordinal);
        var file = await FileAsync(_dave);
        Assert.Equal(started.Text("topic"), file.GetProperty("shared_draft").GetProperty("topic").GetString());
        Assert.Equal(JsonValueKind.Null, file.GetProperty("locked_by").ValueKind);
    }

    [Fact]
    public async Task Two_starts_at_once_give_one_draft()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => PutAsync(i % 2 == 0 ? _bob : _carol, _file)));
        Assert.Single(answers, answer => answer.Code == 201);
        Assert.Single(answers.Select(answer => answer.Ok().Text("id")).Distinct());
    }

    [Fact]
    public async Task Lock_of_another_session_prevents_a_start_and_the_own_lock_ends()
    {
        var lease = await _bob.LockAsync(_file);
        (await PutAsync(_carol, _file)).Is(423, "lease_held");
        (await PutAsync(_carol, _file, lease)).Is(409, "lease_lost");
        Assert.Equal(202, (await _carol.WaitForAsync(_file)).Code);
        (await PutAsync(_bob, _file, lease)).Ok();
        // The lock and its queue ended with the start.
        Assert.Empty((await _carol.GetAsync("files/locks")).Ok().Body.GetProperty("locks").EnumerateArray());
        (await _bob.HeartbeatAsync(_file, lease)).Is(409, "lease_lost");
        (await _bob.SaveAsync(_file, "<own/>", lease)).Is(409, "lease_lost");
    }

    [Fact]
    public async Task File_with_a_draft_cannot_be_locked_deleted_or_promoted()
    {
        await StartAsync(_bob, 201);
        foreach (var client in new[] { _bob, _carol })
        {
            Assert.Equal("Bob Baker", (await client.AcquireAsync(_file)).Is(423, "edited_together").Text("started_by"));
            (await client.WaitForAsync(_file)).Is(423, "edited_together");
        }
        (await _carol.DeleteAsync(_file)).Is(423, "edited_together");
        (await _carol.PostAsync($"files/{_file}/gold-standard", new { })).Is(423, "edited_together");
        // A new version beside the draft needs no lock.
        (await _carol.SaveNewAsync(_file, "<beside/>")).Ok();
    }

    [Fact]
    public async Task Every_writer_saves_the_draft_and_a_repeated_save_changes_nothing()
    {
        var draft = (await StartAsync(_bob, 201)).Text("id")!;
        var before = (await _bob.ReadAsync(_file)).ETag;
        var saved = (await SaveAsync(_bob, draft, "<together/>", before)).Ok();
        Assert.Equal("saved", saved.Text("status"));
        var repeated = (await SaveAsync(_bob, draft, "<together/>", before)).Ok();
        Assert.Equal((saved.Text("etag"), "False"), (repeated.Text("etag"), repeated.Text("changed")));
        (await SaveAsync(_carol, draft, "<older/>", before)).Is(412, "version_mismatch");
        (await SaveAsync(_carol, draft, "<together><more/></together>", saved.Text("etag")!)).Ok();
        Assert.Equal("<together><more/></together>", await _dave.ReadTextAsync(_file));
        (await SaveAsync(_bob, draft, "<open>", (await _bob.ReadAsync(_file)).ETag)).Is(400, "malformed_xml");
    }

    [Fact]
    public async Task Ended_draft_refuses_saves_edits_and_readers()
    {
        var started = await StartAsync(_bob, 201);
        var draft = started.Text("id")!;
        Assert.True((await EndAsync(_bob, draft)).Ok().Body.GetProperty("ended").GetBoolean());
        Assert.False((await EndAsync(_bob, draft)).Ok().Body.GetProperty("ended").GetBoolean());
        (await SaveAsync(_bob, draft, "<late/>", "*")).Is(409, "shared_draft_ended");
        Assert.Equal(HttpStatusCode.Forbidden, await EditAsync(_bob, started));
        using var refused = await _bob.Http.GetAsync(Address(started));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        // The next draft is another document, so a page of the ended one cannot merge into it.
        var next = await StartAsync(_carol, 201);
        Assert.NotEqual(draft, next.Text("id"));
        Assert.False((await EndAsync(_bob, draft)).Ok().Body.GetProperty("ended").GetBoolean());
        (await _bob.AcquireAsync(_file)).Is(423, "edited_together");
        (await EndAsync(_carol, next.Text("id")!)).Ok();
        Assert.True(await _bob.LockAsync(_file) > 0);
    }

    [Fact]
    public async Task Reader_sees_the_draft_and_can_neither_edit_save_nor_end_it()
    {
        var started = await StartAsync(_bob, 201);
        var draft = started.Text("id")!;
        Assert.Equal(HttpStatusCode.NoContent, await EditAsync(_bob, started));
        Assert.NotEmpty(await DraftAsync(_dave, started));
        Assert.Equal(HttpStatusCode.Forbidden, await EditAsync(_dave, started));
        (await SaveAsync(_dave, draft, "<mine/>", "*")).Is(403, "forbidden");
        (await EndAsync(_dave, draft)).Is(403, "forbidden");
        (await PutAsync(_dave, _file)).Is(403, "forbidden");
        // A gold standard is for reviewers.
        (await PutAsync(_bob, _gold)).Is(403, "forbidden");
        (await PutAsync(_carol, _gold)).Ok();
    }

    [Fact]
    public async Task Unknown_and_invisible_files_and_drafts_have_the_same_answer()
    {
        (await PutAsync(_bob, "nothere")).Is(404, "not_found");
        (await EndAsync(_bob, "x", "nothere")).Is(404, "not_found");
        var personnel = (await _carol.FilesAsync("personnel")).Versions[0];
        var hidden = (await PutAsync(_carol, personnel)).Ok();
        (await PutAsync(_bob, personnel)).Is(404, "not_found");
        using var read = await _bob.Http.GetAsync(Address(hidden));
        using var unknown = await _bob.Http.GetAsync(new Uri("/api/v1/shared-drafts/documents-drafts/letters/a/b", UriKind.Relative));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (read.StatusCode, unknown.StatusCode));
        var source = (await _bob.ListAsync())
            .GetProperty("documents")
            .EnumerateArray()
            .Select(document => document.GetProperty("pdf"))
            .First(pdf => pdf.ValueKind == JsonValueKind.Object)
            .GetProperty("stable_id")
            .GetString()!;
        (await PutAsync(_carol, source)).Is(403, "forbidden");
    }

    [Fact]
    public async Task Maintenance_delays_edits_and_saves_of_a_draft_until_it_ends()
    {
        var started = await StartAsync(_bob, 201);
        var admin = await _host.SignInAsync("alice");
        await MaintainAsync(admin, on: true);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await EditAsync(_bob, started));
        (await SaveAsync(_bob, started.Text("id")!, "<later/>", "*")).Is(503, "maintenance");
        (await EndAsync(_bob, started.Text("id")!)).Is(503, "maintenance");
        Assert.NotEmpty(await DraftAsync(_bob, started));
        await MaintainAsync(admin, on: false);
        Assert.Equal(HttpStatusCode.NoContent, await EditAsync(_bob, started));
    }

    [Theory]
    [InlineData("\uFEFF<a>\r\n  <b/>\r\n</a>\r\n", "crlf", "\uFEFF<a>\n  <b/>\n</a>\n")]
    [InlineData("<a>\r\n<b/>\n</a>", "lf", "<a>\r\n<b/>\n</a>")]
    [InlineData("<a>\r<b/>\r\n</a>", "lf", "<a>\r<b/>\r\n</a>")]
    [InlineData("<a>é😀</a>", "lf", "<a>é😀</a>")]
    public async Task Shared_text_keeps_the_characters_and_names_the_line_break(string stored, string lineBreak, string shared)
    {
        var file = (await _bob.SaveNewAsync(_file, stored)).Ok().Text("file_id")!;
        var started = (await PutAsync(_bob, file)).Ok();
        Assert.Equal(lineBreak, started.Text("line_break"));
        Assert.Contains(shared, await DraftAsync(_bob, started), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pasted_text_up_to_the_size_of_a_file_is_one_edit()
    {
        var started = await StartAsync(_bob, 201);
        Assert.Equal(HttpStatusCode.NoContent, await EditAsync(_bob, started, new string('x', 5_000_000)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await EditAsync(_bob, started, new string('x', 6_000_000)));
        Assert.InRange((await DraftAsync(_bob, started)).Length, 5_000_000, 5_500_000);
    }

    [Fact]
    public async Task Members_learn_of_start_and_end_before_the_lock_is_free()
    {
        var lease = await _bob.LockAsync(_file);
        var events = await _carol.SubscribeAsync();
        var draft = (await PutAsync(_bob, _file, lease)).Ok().Text("id")!;
        await events.WhenAsync("lockReleased", file: _file);
        var frames = events.Frames.ToList();
        var start = frames.FindIndex(frame => frame.Is("fileDataChanged", "shared_draft_started", _file));
        Assert.InRange(start, 0, frames.FindIndex(frame => frame.Is("lockReleased", null, _file)));
        (await EndAsync(_bob, draft)).Ok();
        await events.WhenAsync("fileDataChanged", "shared_draft_ended", _file);
    }

    private async Task<Answer> StartAsync(DocumentsClient client, int status)
    {
        var answer = await PutAsync(client, _file);
        Assert.Equal(status, answer.Ok().Code);
        return answer;
    }

    private static Task<Answer> PutAsync(DocumentsClient client, string file, long? lease = null) =>
        client.SendAsync(HttpMethod.Put, $"files/{file}/shared-draft", System.Net.Http.Json.JsonContent.Create(new { lease }));

    private Task<Answer> EndAsync(DocumentsClient client, string draft, string? file = null) =>
        client.SendAsync(HttpMethod.Delete, $"files/{file ?? _file}/shared-draft/{draft}", null);

    private Task<Answer> SaveAsync(DocumentsClient client, string draft, string xml, string etag) =>
        client.PostAsync(
            "files/save",
            new
            {
                xml_string = xml,
                file_id = _file,
                shared_draft = draft,
            },
            ("If-Match", etag)
        );

    private static async Task MaintainAsync(DocumentsClient admin, bool on) =>
        (
            await admin.SendAsync(HttpMethod.Put, "admin/maintenance", System.Net.Http.Json.JsonContent.Create(new { on, message = "" }))
        ).Ok();

    private static Uri Address(Answer draft) => new($"/api/v1/shared-drafts/{draft.Text("topic")}", UriKind.Relative);

    /// <summary>Appends the update of an insertion by the client 7.</summary>
    private static async Task<HttpStatusCode> EditAsync(DocumentsClient client, Answer draft, string text = "x")
    {
        List<byte> length = [];
        for (var rest = text.Length; ; rest >>= 7)
        {
            length.Add((byte)(rest < 0x80 ? rest : 0x80 | (rest & 0x7F)));
            if (rest < 0x80)
                break;
        }
        using var update = new ByteArrayContent([1, 1, 7, 0, 4, 1, 4, .. "text"u8, .. length, .. Encoding.UTF8.GetBytes(text), 0]);
        using var answer = await client.Http.PostAsync(Address(draft), update);
        return answer.StatusCode;
    }

    /// <summary>Returns the updates of a draft as text, with one entry for each.</summary>
    private static async Task<string> DraftAsync(DocumentsClient client, Answer draft)
    {
        using var answer = await client.Http.GetAsync(Address(draft));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal(1, bytes[0]);
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1)), 1, bytes.Length - 5);
        return Encoding.UTF8.GetString(bytes);
    }

    private async Task<JsonElement> FileAsync(DocumentsClient client) =>
        (await client.ListAsync())
            .GetProperty("documents")
            .EnumerateArray()
            .SelectMany(document => document.GetProperty("files").EnumerateArray())
            .Single(file => file.GetProperty("stable_id").GetString() == _file);
}
