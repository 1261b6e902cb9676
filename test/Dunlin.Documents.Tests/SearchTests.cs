using System.Text.Json;

namespace Dunlin.Documents.Tests;

/// <summary>The search in the texts.</summary>
public sealed class SearchTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;
    private string _file = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
        _file = (await _bob.FilesAsync("letters")).Versions[0];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_match_has_its_line_column_and_context()
    {
        await SaveAsync("<letter>\r\n  <p>Der Straßenbau in Kölle, 50 % fertig</p>\r\n</letter>");
        var hit = Assert.Single(await FindAsync("STRASSENBAU in k\u006F\u0308lle"));
        Assert.Equal(_file, hit.GetProperty("file_id").GetString());
        Assert.Equal(1, hit.GetProperty("lines").GetInt32());
        var match = Assert.Single(hit.GetProperty("matches").EnumerateArray());
        Assert.Equal((2, 10), (match.GetProperty("line").GetInt32(), match.GetProperty("column").GetInt32()));
        Assert.Equal(
            ("<p>Der ", "Straßenbau in Kölle", ", 50 % fertig</p>"),
            (match.GetProperty("before").GetString(), match.GetProperty("match").GetString(), match.GetProperty("after").GetString())
        );
    }

    [Fact]
    public async Task Saved_texts_are_found_and_replaced_and_deleted_ones_are_not()
    {
        await SaveAsync("<letter>first</letter>");
        Assert.Single(await FindAsync("<letter>first"));
        await SaveAsync("<letter>second</letter>");
        Assert.Empty(await FindAsync("<letter>first"));
        Assert.Single(await FindAsync("<letter>second"));
        var carol = await _host.SignInAsync("carol");
        await carol.LockAsync(_file);
        (await carol.DeleteAsync(_file)).Ok();
        Assert.Empty(await FindAsync("<letter>second"));
    }

    [Fact]
    public async Task Wildcards_are_ordinary_characters()
    {
        await SaveAsync("<letter>50 % of a_b \\ c</letter>");
        Assert.Single(await FindAsync("50 % of a_b \\ c"));
        Assert.Empty(await FindAsync("5% of"));
        Assert.Empty(await FindAsync("a_%_c"));
    }

    [Fact]
    public async Task Texts_of_other_collections_are_not_found()
    {
        var dave = await _host.SignInAsync("dave");
        Assert.NotEmpty(await FindAsync("repair the hide"));
        Assert.Empty(await FindAsync("repair the hide", dave));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData(" a ")]
    public async Task A_phrase_of_less_than_two_characters_is_refused(string phrase) =>
        (await _bob.GetAsync("files/search?q=" + Uri.EscapeDataString(phrase))).Is(400, "invalid_field");

    private async Task SaveAsync(string text)
    {
        var lease = await _bob.LockAsync(_file);
        (await _bob.SaveAsync(_file, text, lease)).Ok();
        (await _bob.ReleaseAsync(_file, lease)).Ok();
    }

    private async Task<IReadOnlyList<JsonElement>> FindAsync(string phrase, DocumentsClient? by = null) =>
        [.. (await (by ?? _bob).GetAsync("files/search?q=" + Uri.EscapeDataString(phrase))).Ok().Body.GetProperty("hits").EnumerateArray()];
}
