using System.Text;

namespace Dunlin.Documents.Tests;

/// <summary>Saving: protected by fencing tokens, numbered, byte for byte.</summary>
public sealed class SaveTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private string _file = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _file = (await _bob.FilesAsync("letters")).Versions[0];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_saved_text_round_trips_byte_for_byte()
    {
        var lease = await _bob.LockAsync(_file);
        var xml = "\uFEFF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<a  b = 'x'>\t&amp; “Dünlin” 🐦\r<!-- c --></a>\n\n";
        var saved = (await _bob.SaveAsync(_file, xml, lease)).Ok();
        Assert.Equal(("saved", _file, "true"), (saved.Text("status"), saved.Text("file_id"), saved.Text("changed")!.ToLowerInvariant()));
        var (content, etag) = await _carol.ReadAsync(_file);
        Assert.Equal(Encoding.UTF8.GetBytes(xml), content);
        Assert.Equal(saved.Text("etag"), etag);
        Assert.Equal(etag, saved.Headers.ETag!.ToString());
        Assert.Equal(304, (await _carol.SendAsync(HttpMethod.Get, $"files/{_file}", null, ("If-None-Match", etag))).Code);
    }

    [Fact]
    public async Task Saving_an_identical_text_changes_nothing_and_sends_no_event()
    {
        var stream = await _carol.SubscribeAsync();
        var (before, etag) = await _bob.ReadAsync(_file);
        var lease = await _bob.LockAsync(_file);
        var saved = (await _bob.SaveAsync(_file, Encoding.UTF8.GetString(before), lease)).Ok();
        Assert.False(saved.Body.GetProperty("changed").GetBoolean());
        Assert.Equal(etag, saved.Text("etag"));
        (await _bob.ReleaseAsync(_file)).Ok();
        await stream.WhenAsync("lockReleased");
        Assert.Equal(0, stream.Count("fileDataChanged", "file_saved"));
        Assert.Equal(before, (await _bob.ReadAsync(_file)).Content);
    }

    [Fact]
    public async Task A_save_with_a_stale_fencing_token_is_refused_on_a_free_file_too()
    {
        var before = await _bob.ReadTextAsync(_file);
        var lease = await _bob.LockAsync(_file);
        _host.Time.Advance(TimeSpan.FromSeconds(91));
        (await _bob.SaveAsync(_file, "<late/>", lease)).Is(409, "lease_lost");

        var other = await _carol.LockAsync(_file);
        (await _carol.ReleaseAsync(_file, other)).Ok();
        var lost = (await _bob.SaveAsync(_file, "<late/>", lease)).Is(409, "lease_lost");
        Assert.Equal(System.Text.Json.JsonValueKind.Null, lost.Body.GetProperty("holder").ValueKind);

        // Refused also under a newer grant of the same session, because the text was typed under the old one.
        var again = await _bob.LockAsync(_file);
        (await _bob.SaveAsync(_file, "<late/>", lease)).Is(409, "lease_lost");
        Assert.Equal(before, await _bob.ReadTextAsync(_file));
        (await _bob.SaveAsync(_file, "<fresh/>", again)).Ok();
    }

    [Fact]
    public async Task A_save_without_a_lease_or_with_another_sessions_is_refused()
    {
        (await _bob.SaveAsync(_file, "<a/>", null)).Is(400, "invalid_field");
        var lease = await _carol.LockAsync(_file);
        (await _bob.SaveAsync(_file, "<a/>", lease)).Is(409, "lease_lost");
        (await _bob.SaveAsync(_file, "<a/>", lease + 1)).Is(409, "lease_lost");
    }

    [Fact]
    public async Task A_save_based_on_an_older_revision_is_refused()
    {
        var lease = await _bob.LockAsync(_file);
        var (_, etag) = await _bob.ReadAsync(_file);
        (await _bob.SaveAsync(_file, "<one/>", lease)).Ok();
        var refused = (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<two/>",
                    file_id = _file,
                    lease,
                },
                ("If-Match", etag)
            )
        ).Is(412, "version_mismatch");
        Assert.Equal((await _bob.ReadAsync(_file)).ETag, refused.Text("etag"));
        Assert.Equal("<one/>", await _bob.ReadTextAsync(_file));
        // Sent by a compressing proxy, in a list, or as a wildcard.
        (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<two/>",
                    file_id = _file,
                    lease,
                },
                ("If-Match", "W/" + refused.Text("etag"))
            )
        ).Ok();
        var (_, third) = await _bob.ReadAsync(_file);
        (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<three/>",
                    file_id = _file,
                    lease,
                },
                ("If-Match", $"{etag}, {third}")
            )
        ).Ok();
        (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<four/>",
                    file_id = _file,
                    lease,
                },
                ("If-Match", "*")
            )
        ).Ok();
    }

    [Fact]
    public async Task Concurrent_new_versions_get_different_numbers()
    {
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 24).Select(i => (i % 2 == 0 ? _bob : _carol).SaveNewAsync(_file, $"<v n='{i}'/>"))
        );
        Assert.All(answers, a => Assert.Equal((201, "new"), (a.Code, a.Text("status"))));
        Assert.Equal(Enumerable.Range(4, 24).Select(n => (long)n), answers.Select(a => a.Number("version")).Order());
        Assert.Equal(24, answers.Select(a => a.Text("file_id")).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task The_number_of_a_deleted_version_is_not_reused()
    {
        var third = (await _bob.SaveNewAsync(_file, "<v/>")).Ok();
        await _bob.LockAsync(third.Text("file_id")!);
        (await _bob.DeleteAsync(third.Text("file_id")!)).Ok();
        Assert.Equal(third.Number("version") + 1, (await _bob.SaveNewAsync(_file, "<v/>")).Ok().Number("version"));
    }

    [Fact]
    public async Task A_new_version_needs_no_lock()
    {
        await _carol.LockAsync(_file);
        var stream = await _carol.SubscribeAsync();
        var added = (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<rescued/>",
                    file_id = _file,
                    new_version = true,
                    label = "Rescued",
                }
            )
        ).Ok();
        await stream.WhenAsync("fileDataChanged", "file_created", added.Text("file_id"));
        Assert.Equal("<rescued/>", await _carol.ReadTextAsync(added.Text("file_id")!));
        var history = (await _bob.GetAsync($"files/{_file}/history")).Ok().Body.EnumerateArray().ToList();
        Assert.Equal(
            ("Rescued", 4L, "Bob Baker"),
            (
                history[0].GetProperty("label").GetString(),
                history[0].GetProperty("version").GetInt64(),
                history[0].GetProperty("owner").GetString()
            )
        );
    }

    [Fact]
    public async Task The_first_gold_standard_is_saved_and_the_next_promoted()
    {
        var postcard = (await _carol.ListAsync())
            .GetProperty("documents")
            .EnumerateArray()
            .Single(d => d.GetProperty("title").GetString()!.StartsWith("Postcard", StringComparison.Ordinal))
            .GetProperty("files")[0]
            .GetProperty("stable_id")
            .GetString()!;
        var stream = await _bob.SubscribeAsync();
        var gold = (
            await _carol.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<gold/>",
                    file_id = postcard,
                    new_gold = true,
                }
            )
        ).Ok();
        Assert.Equal("new_gold", gold.Text("status"));
        var second = (
            await _carol.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<gold/>",
                    file_id = postcard,
                    new_gold = true,
                }
            )
        ).Is(409, "conflict");
        Assert.Equal(gold.Text("file_id"), second.Text("gold_id"));

        Assert.Equal(204, (await _carol.PostAsync($"files/{postcard}/gold-standard", new { })).Code);
        await stream.WhenAsync("fileDataChanged", "gold_standard_changed", postcard);
        var history = (await _carol.GetAsync($"files/{postcard}/history")).Ok().Body.EnumerateArray();
        Assert.Equal(
            [postcard],
            history.Where(v => v.GetProperty("is_gold").GetBoolean()).Select(v => v.GetProperty("stable_id").GetString())
        );
    }

    [Fact]
    public async Task A_version_that_another_user_edits_is_not_promoted()
    {
        await _bob.LockAsync(_file);
        (await _carol.PostAsync($"files/{_file}/gold-standard", new { })).Is(423, "lease_held");
        (await _bob.ReleaseAsync(_file)).Ok();
        Assert.Equal(204, (await _carol.PostAsync($"files/{_file}/gold-standard", new { })).Code);
    }

    [Fact]
    public async Task A_document_of_5_MiB_is_accepted_and_one_byte_more_refused()
    {
        var lease = await _bob.LockAsync(_file);
        const int limit = 5 * 1024 * 1024;
        var largest = "<a>" + new string('"', limit - 7) + "</a>";
        (await _bob.SaveAsync(_file, largest, lease)).Ok();
        Assert.Equal(limit, (await _bob.ReadAsync(_file)).Content.Length);
        var refused = (await _bob.SaveAsync(_file, "<a>" + new string('x', limit - 6) + "</a>", lease)).Is(413, "too_large");
        Assert.Equal(limit, refused.Number("limit"));
        (await _bob.SaveAsync(_file, "<a>" + new string('ü', limit / 2) + "</a>", lease)).Is(413, "too_large");
    }

    [Fact]
    public async Task A_source_is_readable_and_never_overwritten()
    {
        var letter = (await _bob.ListAsync())
            .GetProperty("documents")
            .EnumerateArray()
            .Single(d => d.GetProperty("pdf").ValueKind == System.Text.Json.JsonValueKind.Object);
        var pdf = letter.GetProperty("pdf").GetProperty("stable_id").GetString()!;
        Assert.StartsWith("%PDF-1.4", await _bob.ReadTextAsync(pdf), StringComparison.Ordinal);
        (await _bob.SaveAsync(pdf, "<a/>", 1)).Is(400, "invalid_field");
        (await _bob.SaveNewAsync(pdf, "<a/>")).Is(400, "invalid_field");
    }

    [Fact]
    public async Task A_new_document_starts_with_version_1_of_its_variant()
    {
        var added = (
            await _bob.PostAsync(
                "files/import",
                new
                {
                    collection = "minutes",
                    title = "Minutes, April",
                    xml_string = "<m/>",
                    variant = "short",
                }
            )
        ).Ok();
        Assert.Equal(("new", 1L), (added.Text("status"), added.Number("version")));
        var list = (await _bob.GetAsync("files/list?variant=short")).Ok().Body;
        var files = list.GetProperty("documents").EnumerateArray().SelectMany(d => d.GetProperty("files").EnumerateArray()).ToList();
        Assert.Equal(added.Text("file_id"), Assert.Single(files).GetProperty("stable_id").GetString());
    }
}
