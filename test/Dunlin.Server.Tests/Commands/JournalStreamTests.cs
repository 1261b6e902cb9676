using Dunlin.Relational;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Commands;

/// <summary>Durable streams survive <c>move</c> and <c>journal export|import</c> between real files and databases.</summary>
[Trait("Store", "own")]
public sealed class JournalStreamTests : IAsyncLifetime
{
    private const StringComparison Ordinal = StringComparison.Ordinal;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-streams-");
    private readonly List<PostgresServer> _servers = [];

    private string Lines => Path.Combine(_folder.FullName, "journal.jsonl");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("sqlite", "postgres")]
    [InlineData("postgres", "sqlite")]
    public async Task Exported_streams_continue_in_another_store(string from, string to)
    {
        var source = await NewPlaceAsync(from);
        var before = await FillAsync(source);
        await ExportAsync(source);
        var target = await NewPlaceAsync(to);
        await ImportAsync(0, Lines, target, "--keep-positions");
        await ContinuesAsync(target, before);
    }

    [Fact]
    public async Task Moved_streams_continue_there_and_back()
    {
        var source = await NewPlaceAsync("sqlite");
        var before = await FillAsync(source);
        var database = await NewPlaceAsync("postgres");
        await RunAsync(0, "move", "--from", source, "--store", database);
        var back = await NewPlaceAsync("sqlite");
        await using (var from = await StreamedStore.OpenAsync(database))
        await using (var to = await StreamedStore.OpenAsync(back))
        {
            Assert.Equal(before, await from.DescribeAsync());
            await StoreMove.RunAsync(from.Store, to.Store, cancellationToken: Cancel);
        }
        await ContinuesAsync(database, before);
        await ContinuesAsync(back, before);
    }

    [Fact]
    public async Task Import_without_positions_is_refused_and_changes_nothing()
    {
        var source = await NewPlaceAsync("sqlite");
        await FillAsync(source);
        await ExportAsync(source);
        var target = await NewPlaceAsync("sqlite");
        Assert.Contains("--keep-positions", await ImportAsync(1, Lines, target), Ordinal);
        await ImportAsync(0, Lines, target, "--keep-positions");
    }

    [Fact]
    public async Task Import_into_a_store_with_streams_only_is_refused()
    {
        var source = await NewPlaceAsync("sqlite");
        await FillAsync(source);
        await ExportAsync(source);
        Assert.Contains("not empty", await ImportAsync(1, Lines, source), Ordinal);
    }

    [Fact]
    public async Task Import_interrupted_at_any_line_continues()
    {
        var source = await NewPlaceAsync("sqlite");
        var before = await FillAsync(source);
        await ExportAsync(source);
        var lines = await File.ReadAllLinesAsync(Lines, Cancel);
        var rows = lines.Count(static line => line.StartsWith("{\"table\"", StringComparison.Ordinal));
        Assert.Equal(8, rows); // six streams and two producers
        foreach (var kept in new[] { 1, 3, rows + 1, rows + 2, lines.Length - 1 })
        {
            var target = await NewPlaceAsync("sqlite");
            var part = Path.Combine(_folder.FullName, $"part-{kept}.jsonl");
            await File.WriteAllLinesAsync(part, lines[..kept], Cancel);
            await ImportAsync(1, part, target, "--keep-positions");
            await ImportAsync(0, Lines, target, "--keep-positions");
            await ContinuesAsync(target, before);
        }
    }

    [Fact]
    public async Task Interrupted_export_with_streams_continues_or_begins_again()
    {
        var source = await NewPlaceAsync("sqlite");
        await FillAsync(source);
        await ExportAsync(source);
        var whole = await File.ReadAllBytesAsync(Lines, Cancel);
        foreach (var cut in new[] { 100, 300, whole.Length / 2, whole.Length - 1 })
        {
            await File.WriteAllBytesAsync(Lines, whole[..cut], Cancel);
            await ExportAsync(source);
            Assert.Equal(whole, await File.ReadAllBytesAsync(Lines, Cancel));
        }
    }

    // As when a stream is trimmed after the export has read its row.
    [Fact]
    public async Task Stream_begins_after_events_that_the_export_lacks()
    {
        var source = await NewPlaceAsync("sqlite");
        var before = await FillAsync(source);
        await ExportAsync(source);
        var text = await File.ReadAllTextAsync(Lines, Cancel);
        var late = System.Text.RegularExpressions.Regex.Replace(text, "(\"streams/old\".*?\"trimmed_through\":)\\d+", "${1}0");
        Assert.NotEqual(text, late);
        await File.WriteAllTextAsync(Lines, late, Cancel);
        var target = await NewPlaceAsync("sqlite");
        await ImportAsync(0, Lines, target, "--keep-positions");
        await ContinuesAsync(target, before);
    }

    [Theory]
    [InlineData("""{"table":"dunlin_account","row":{}}""", "no table 'dunlin_account'")]
    [InlineData("""{"table":"dunlin_stream"}""", "\"row\" is missing")]
    [InlineData("""{"table":"dunlin_stream","row":7}""", "must be an object")]
    [InlineData("""{"table":"dunlin_stream","row":{"id":true}}""", "'id' must be")]
    [InlineData("""{"table":"dunlin_stream","row":{"id":1.5}}""", "\"row\" is invalid")]
    [InlineData("""{"table":"dunlin_stream","row":{"colour":"red"}}""", "no column 'colour'")]
    [InlineData("""{"table":"dunlin_stream","row":{"id":"seven"}}""", "another type")]
    public async Task Damaged_rows_are_named(string row, string reason)
    {
        var header = """{"format":"dunlin-journal","version":1,"epoch":"00000007","first":0,"last":0}""";
        await File.WriteAllTextAsync(Lines, $"{header}\n{row}\n{{\"events\":0}}\n", Cancel);
        var target = await NewPlaceAsync("sqlite");
        var error = await ImportAsync(1, Lines, target, "--keep-positions");
        Assert.Contains(reason, error, Ordinal);
        Assert.DoesNotContain("   at ", error, Ordinal);
    }

    private static async Task<string> FillAsync(string place)
    {
        await using var store = await StreamedStore.OpenAsync(place);
        await store.FillAsync();
        return await store.DescribeAsync();
    }

    private static async Task ContinuesAsync(string place, string before)
    {
        await using var store = await StreamedStore.OpenAsync(place);
        Assert.Equal(before, await store.DescribeAsync());
        await store.ContinueAsync();
    }

    private static async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (code, _, error) = await Cli.RunAsync(arguments);
        Assert.True(code == expected, $"{code}: {error}");
        return error;
    }

    private Task<string> ExportAsync(string place) => RunAsync(0, ["journal", "export", "--to", Lines, .. OptionsOf(place)]);

    private static Task<string> ImportAsync(int expected, string file, string place, params string[] options) =>
        RunAsync(expected, ["journal", "import", "--from", file, .. options, .. OptionsOf(place)]);

    private static string[] OptionsOf(string place) =>
        place.EndsWith(".db", Ordinal) ? ["--data", Path.GetDirectoryName(place)!] : ["--store", place];

    private async Task<string> NewPlaceAsync(string kind)
    {
        if (kind == "sqlite")
            return Path.Combine(_folder.CreateSubdirectory($"store-{Guid.NewGuid():N}").FullName, "dunlin.db");
        var server = await PostgresServer.StartNewAsync();
        _servers.Add(server);
        return server.ConnectionString;
    }
}
