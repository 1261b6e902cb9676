namespace Dunlin.Documents.Tests;

/// <summary>Deletions and promotions can be taken back.</summary>
public sealed class RestoreTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private string _gold = null!;
    private string[] _versions = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        (_gold, _versions) = await _carol.FilesAsync("letters");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_restored_gold_standard_has_its_text_number_and_rank_again()
    {
        var text = await _carol.ReadTextAsync(_gold);
        await _carol.LockAsync(_gold);
        (await _carol.DeleteAsync(_gold)).Ok();
        Assert.Equal(404, (await _carol.GetAsync($"files/{_gold}")).Code);
        var stream = await _bob.SubscribeAsync();
        (await RestoreAsync(_carol, _gold)).Ok();
        await stream.WhenAsync("fileDataChanged", "files_restored");
        Assert.Equal(text, await _bob.ReadTextAsync(_gold));
        Assert.Equal(_gold, (await _bob.FilesAsync("letters")).Gold);
        (await RestoreAsync(_carol, _gold)).Ok();
    }

    [Fact]
    public async Task A_former_gold_standard_is_restored_as_a_version_beside_the_new_one()
    {
        await _carol.LockAsync(_gold);
        (await _carol.DeleteAsync(_gold)).Ok();
        (await _carol.PostAsync($"files/{_versions[0]}/gold-standard", new { })).Ok();
        (await RestoreAsync(_carol, _gold)).Ok();
        var (gold, others) = await _carol.FilesAsync("letters");
        Assert.Equal(_versions[0], gold);
        Assert.Contains(_gold, others);
    }

    [Fact]
    public async Task Only_users_with_the_right_to_delete_restore_all_or_none()
    {
        var own = (await _bob.SaveNewAsync(_versions[0], "<letter>Mine</letter>")).Ok().Text("file_id")!;
        await _carol.LockAsync(_gold);
        await _bob.LockAsync(own);
        (await _carol.DeleteAsync(_gold)).Ok();
        (await _bob.DeleteAsync(own)).Ok();
        var dave = await _host.SignInAsync("dave");
        (await RestoreAsync(dave, own)).Is(403, "forbidden");
        (await RestoreAsync(_carol, own, "nothing")).Is(404, "not_found");
        Assert.Equal(404, (await _carol.GetAsync($"files/{own}")).Code);
        (await RestoreAsync(_bob, own)).Ok();
        Assert.Equal("<letter>Mine</letter>", await _carol.ReadTextAsync(own));
    }

    [Fact]
    public async Task A_promotion_is_taken_back_by_reviewers_unless_another_edits()
    {
        (await _bob.SendAsync(HttpMethod.Delete, $"files/{_gold}/gold-standard", null)).Is(403, "forbidden");
        var admin = await _host.SignInAsync("alice");
        await admin.LockAsync(_gold);
        (await _carol.SendAsync(HttpMethod.Delete, $"files/{_gold}/gold-standard", null)).Is(423, "lease_held");
        (await admin.ReleaseAsync(_gold)).Ok();
        var stream = await _bob.SubscribeAsync();
        (await _carol.SendAsync(HttpMethod.Delete, $"files/{_gold}/gold-standard", null)).Ok();
        await stream.WhenAsync("fileDataChanged", "gold_standard_changed", _gold);
        var (gold, others) = await _carol.FilesAsync("letters");
        Assert.Empty(gold);
        Assert.Contains(_gold, others);
    }

    private static Task<Answer> RestoreAsync(DocumentsClient client, params string[] files) =>
        client.PostAsync("files/restore", new { files });
}
