namespace Dunlin.Documents.Tests;

/// <summary>Permissions of roles, and deletion.</summary>
public sealed class RoleTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _alice = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private DocumentsClient _dave = null!;
    private string _gold = null!;
    private string[] _versions = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _alice = await _host.SignInAsync("alice");
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _dave = await _host.SignInAsync("dave");
        (_gold, _versions) = await _bob.FilesAsync("letters");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_plain_user_reads_and_cannot_write()
    {
        var file = _versions[0];
        Assert.NotEmpty(await _dave.ReadTextAsync(file));
        (await _dave.AcquireAsync(file)).Is(403, "forbidden");
        (await _dave.SaveAsync(file, "<a/>", 1)).Is(403, "forbidden");
        (await _dave.SaveNewAsync(file, "<a/>")).Is(403, "forbidden");
        (
            await _dave.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<a/>",
                    file_id = file,
                    new_gold = true,
                }
            )
        ).Is(403, "forbidden");
        (await _dave.DeleteAsync(file)).Is(403, "forbidden");
        (await _dave.PostAsync($"files/{file}/gold-standard", new { })).Is(403, "forbidden");
        (
            await _dave.PostAsync(
                "files/import",
                new
                {
                    collection = "letters",
                    title = "t",
                    xml_string = "<a/>",
                }
            )
        ).Is(403, "forbidden");
    }

    [Fact]
    public async Task An_annotator_writes_versions_but_no_gold_standard()
    {
        (await _bob.SaveAsync(_versions[0], "<a/>", await _bob.LockAsync(_versions[0]))).Ok();
        (await _bob.SaveNewAsync(_gold, "<a/>")).Ok();
        (
            await _bob.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<a/>",
                    file_id = _versions[0],
                    new_gold = true,
                }
            )
        ).Is(403, "forbidden");
        (await _bob.PostAsync($"files/{_versions[0]}/gold-standard", new { })).Is(403, "forbidden");
        // His own file: he may lock it for deletion, but only reviewers may write it.
        (await _bob.SaveAsync(_gold, "<a/>", await _bob.LockAsync(_gold))).Is(403, "forbidden");
    }

    [Fact]
    public async Task A_reviewer_writes_versions_and_gold_standards()
    {
        (await _carol.SaveAsync(_gold, "<gold/>", await _carol.LockAsync(_gold))).Ok();
        (await _carol.SaveAsync(_versions[1], "<a/>", await _carol.LockAsync(_versions[1]))).Ok();
        (await _carol.PostAsync($"files/{_versions[0]}/gold-standard", new { })).Ok();
    }

    [Fact]
    public async Task Only_owner_reviewers_and_administrators_delete()
    {
        // Carol owns the newest version.
        (await _bob.AcquireAsync(_versions[0])).Ok();
        (await _bob.DeleteAsync(_versions[0])).Is(403, "forbidden");
        (await _bob.ReleaseAsync(_versions[0])).Ok();
        foreach (var (who, file) in new[] { (_bob, _versions[1]), (_carol, _versions[0]), (_alice, _gold) })
        {
            await who.LockAsync(file);
            (await who.DeleteAsync(file)).Ok();
            Assert.Equal(404, (await _dave.GetAsync($"files/{file}")).Code);
        }
    }

    [Fact]
    public async Task Deletion_needs_the_lock_of_each_file_and_is_atomic()
    {
        var stream = await _bob.SubscribeAsync();
        var lease = await _carol.LockAsync(_versions[0]);
        (await _carol.DeleteAsync(_versions)).Is(409, "lease_lost");
        (await _bob.AcquireAsync(_versions[1])).Ok();
        (await _carol.DeleteAsync(_versions)).Is(409, "lease_lost");
        (await _bob.ReleaseAsync(_versions[1])).Ok();
        (await _carol.DeleteAsync(_versions[0], "no-such-file")).Is(404, "not_found");
        Assert.NotEmpty(await _bob.ReadTextAsync(_versions[0]));

        await _carol.LockAsync(_versions[1]);
        (
            await _carol.PostAsync(
                "files/delete",
                new { files = _versions, leases = new Dictionary<string, long>(StringComparer.Ordinal) { [_versions[0]] = lease + 1000 } }
            )
        ).Is(409, "lease_lost");
        (await _carol.DeleteAsync(_versions)).Ok();
        await stream.WhenAsync(frames => frames.Any(f => f.Is("fileDataChanged", "files_deleted")));
        var told = stream.Frames.Single(f => f.Is("fileDataChanged", "files_deleted"));
        Assert.Equal(_versions, told.Json.GetProperty("stable_ids").EnumerateArray().Select(id => id.GetString()));
        await stream.WhenAsync(frames => frames.Count(f => f.Is("lockReleased")) >= 2);
    }

    [Fact]
    public async Task A_deleted_file_is_gone_for_all_requests_and_stays_in_the_history()
    {
        var file = _versions[0];
        await _carol.LockAsync(file);
        (await _carol.DeleteAsync(file)).Ok();
        foreach (
            var answer in new[]
            {
                await _carol.GetAsync($"files/{file}"),
                await _carol.AcquireAsync(file),
                await _carol.HeartbeatAsync(file),
                await _carol.SaveAsync(file, "<a/>", 1),
                await _carol.SaveNewAsync(file, "<a/>"),
                await _carol.DeleteAsync(file),
                await _carol.PostAsync($"files/{file}/gold-standard", new { }),
            }
        )
        {
            answer.Is(404, "not_found");
        }
        Assert.DoesNotContain(file, (await _carol.ListAsync()).ToString(), StringComparison.Ordinal);
        var history = (await _carol.GetAsync($"files/{_gold}/history")).Ok().Body.EnumerateArray();
        Assert.Equal(
            "Carol Carter",
            history.Single(v => v.GetProperty("stable_id").GetString() == file).GetProperty("deleted_by").GetString()
        );
    }

    [Fact]
    public async Task The_list_contains_the_permissions_of_the_user()
    {
        Assert.Equal("write new_version promote delete", await CanAsync(_carol, _gold));
        Assert.Equal("new_version delete", await CanAsync(_bob, _gold));
        Assert.Equal("write new_version", await CanAsync(_bob, _versions[0]));
        Assert.Equal("", await CanAsync(_dave, _gold));

        static async Task<string> CanAsync(DocumentsClient client, string file)
        {
            var can = (await client.ListAsync())
                .GetProperty("documents")
                .EnumerateArray()
                .SelectMany(d => d.GetProperty("files").EnumerateArray())
                .Single(f => f.GetProperty("stable_id").GetString() == file)
                .GetProperty("can");
            return string.Join(' ', can.EnumerateObject().Where(p => p.Value.GetBoolean()).Select(p => p.Name));
        }
    }
}
