using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dunlin.Journal;
using Dunlin.Relational;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The commands <c>journal export</c> and <c>journal import</c>, on the store that the run selects.</summary>
public sealed class JournalCommandTests : IDisposable
{
    private const int Many = 100_000;

    private static readonly Dictionary<string, string> NoHeaders = [];
    private static readonly Dictionary<string, string> Headers = new(StringComparer.Ordinal) { ["type"] = "Ü", ["retry"] = "50" };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-journal-");

    private string Lines => Path.Combine(_folder.FullName, "journal.jsonl");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_exported_journal_is_imported_equal_with_its_positions()
    {
        var source = NewPlace();
        var head = await FillAsync(source, 40, trim: true);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var target = NewPlace();
        await SucceedsAsync(["journal", "import", "--from", Lines, "--keep-positions", .. target.Options]);

        Assert.Equal(await DumpAsync(source, withPositions: true), await DumpAsync(target, withPositions: true));
        await using var store = target.Open();
        await store.OpenAsync(Cancel);
        Assert.Equal(head, await store.ReadHeadAsync(Cancel));
        // The next event continues the order, and a reader from before the trimmed events gets a reset.
        var next = await store.AppendAsync([new EventDraft(TopicName.Parse("t/new"), "e", "1"u8.ToArray())], null, Cancel);
        Assert.Equal(head.Offset + 1, next[0].Offset);
        Assert.True((await store.ReadAsync(new JournalQuery(0, [TopicName.Parse("old/a")]), Cancel)).Trimmed);
    }

    [Fact]
    public async Task An_exported_line_names_topics_restriction_format_and_headers()
    {
        var source = NewPlace();
        await using (var store = source.Open())
        {
            await store.OpenAsync(Cancel);
            var draft = new EventDraft(TopicName.ForText("https://example.com/é"), "e", new byte[] { 0, 255 })
            {
                AlsoOn = [TopicName.Parse("a/b")],
                IsRestricted = true,
                ForeignId = "urn:x",
                Format = EventFormat.Binary,
                Headers = Headers,
            };
            await store.AppendAsync([draft, new EventDraft(TopicName.ForText("x"), "e", "1"u8.ToArray())], null, Cancel);
        }
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var lines = (await File.ReadAllLinesAsync(Lines, Cancel)).Select(line => System.Text.Json.JsonElement.Parse(line)).ToList();
        Assert.Equal("#https://example.com/é", lines[1].GetProperty("topic").GetString());
        Assert.Equal("AP8=", lines[1].GetProperty("base64").GetString());
        Assert.Equal(
            """{"also":["a/b"],"restricted":true,"id":"urn:x","format":"binary","headers":{"retry":"50","type":"\u00DC"}}""",
            lines[1].GetProperty("extra").GetRawText()
        );
        Assert.Equal("#x", lines[2].GetProperty("topic").GetString());
        Assert.False(lines[2].TryGetProperty("extra", out _));
    }

    [Fact]
    public async Task Import_without_positions_keeps_order_data_and_times()
    {
        var source = NewPlace();
        await FillAsync(source, 40, trim: true);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var target = NewPlace();
        await SucceedsAsync(["journal", "import", "--from", Lines, .. target.Options]);
        Assert.Equal(await DumpAsync(source, withPositions: false), await DumpAsync(target, withPositions: false));
        await using var store = target.Open();
        await store.OpenAsync(Cancel);
        var page = await store.ReadAsync(new JournalQuery(0, null, 1), Cancel);
        Assert.Equal(1, page.Events[0].Position.Offset);
    }

    [Fact]
    public async Task Killed_import_of_100_000_events_continues_without_loss()
    {
        var source = NewPlace();
        await FillAsync(source, Many, trim: false);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var target = NewPlace();
        var lines = await File.ReadAllLinesAsync(Lines, Cancel);
        Assert.Equal(Many + 2, lines.Length);
        await KillImportAsync(target, lines.Take(Many / 2));
        var imported = await CountAsync(target);
        Assert.InRange(imported, 1_000, Many / 2);

        await SucceedsAsync(["journal", "import", "--from", Lines, "--keep-positions", .. target.Options]);
        Assert.Equal(await DumpAsync(source, withPositions: true), await DumpAsync(target, withPositions: true));
    }

    [Fact]
    public async Task Interrupted_export_continues_after_its_last_whole_line()
    {
        var source = NewPlace();
        await FillAsync(source, 200, trim: true);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var whole = await File.ReadAllBytesAsync(Lines, Cancel);
        foreach (var cut in new[] { 0, 10, 100, whole.Length / 2, whole.Length - 25, whole.Length - 1, whole.Length })
        {
            await File.WriteAllBytesAsync(Lines, whole[..cut], Cancel);
            await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
            Assert.Equal(whole, await File.ReadAllBytesAsync(Lines, Cancel));
        }
    }

    [Fact]
    public async Task Export_into_a_file_of_another_journal_is_refused()
    {
        var (first, second) = (NewPlace(), NewPlace());
        await FillAsync(first, 5, trim: false);
        await FillAsync(second, 5, trim: false);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. first.Options]);
        var before = await File.ReadAllTextAsync(Lines, Cancel);
        var (code, _, error) = await Cli.RunAsync(["journal", "export", "--to", Lines, .. second.Options]);
        Assert.Equal(1, code);
        Assert.Contains("another journal", error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Lines, Cancel));
    }

    [Fact]
    public async Task Damaged_lines_are_named_with_their_number()
    {
        var source = NewPlace();
        await FillAsync(source, 5, trim: false);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var lines = await File.ReadAllLinesAsync(Lines, Cancel);
        (string[] Lines, string Reason)[] damaged =
        [
            ([], "empty"),
            (["not JSON"], "Line 1"),
            (["""{"format":"other"}"""], "no exported journal"),
            ([lines[0].Replace("\"version\":1", "\"version\":9", StringComparison.Ordinal)], "version 9"),
            (lines[..^1], "incomplete: it ends after 5 events"),
            ([.. lines, lines[1]], "Line 8 follows the last line"),
            ([.. lines[..2], lines[1], .. lines[2..]], "Line 3: offset 1 must be after"),
            ([.. lines[..2], .. lines[3..]], "the file has 4 events, but 5 were exported"),
            ([lines[0], lines[1].Replace("\"topic\":\"", "\"topic\":\"/", StringComparison.Ordinal)], "Line 2"),
            ([lines[0], lines[1].Replace("\"type\":\"", "\"type\":\" ", StringComparison.Ordinal)], "Line 2"),
            ([lines[0], lines[1].Replace("\"offset\":1", "\"offset\":\"1\"", StringComparison.Ordinal)], "offset"),
            ([lines[0], lines[1].Replace("\"offset\"", "\"ofset\"", StringComparison.Ordinal)], "ofset"),
            ([lines[0], lines[1] + "{}"], "Line 2"),
            ([lines[0], WithExtra("{\"also\":[\"a b\"]}")], "\"extra\" is invalid"),
            ([lines[0], WithExtra("{\"also\":[\"#a\\u0007b\"]}")], "control or format characters"),
            ([lines[0], WithExtra("{\"also\":7}")], "\"extra\" is invalid"),
            ([lines[0], WithExtra("{\"format\":\"picture\"}")], "\"extra\" is invalid"),
            ([lines[0], WithExtra("{\"id\":\"\"}")], "A foreign id has"),
            ([lines[0], WithExtra("[]")], "\"extra\" is invalid"),
        ];
        foreach (var (text, reason) in damaged)
        {
            var target = NewPlace();
            await File.WriteAllTextAsync(Lines, string.Concat(text.Select(line => line + "\n")), Cancel);
            var (code, output, error) = await Cli.RunAsync(["journal", "import", "--from", Lines, .. target.Options]);
            Assert.Equal((1, ""), (code, output));
            Assert.Contains(reason, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }

        static string WithExtra(string extra) =>
            $$"""{"offset":1,"topic":"t","type":"e","time":"2030-01-01T00:00:00Z","data":1,"extra":{{extra}}}""";
    }

    [Fact]
    public async Task Import_into_a_journal_with_events_is_refused()
    {
        var source = NewPlace();
        await FillAsync(source, 5, trim: false);
        await SucceedsAsync(["journal", "export", "--to", Lines, .. source.Options]);
        var before = await DumpAsync(source, withPositions: true);
        foreach (var option in new string[][] { [], ["--keep-positions"] })
        {
            var (code, _, error) = await Cli.RunAsync(["journal", "import", "--from", Lines, .. option, .. source.Options]);
            Assert.Equal(1, code);
            Assert.Contains("not empty", error, StringComparison.Ordinal);
        }
        Assert.Equal(before, await DumpAsync(source, withPositions: true));
    }

    [Fact]
    public async Task A_missing_file_or_database_is_named()
    {
        var (code, _, error) = await Cli.RunAsync("journal", "import", "--from", "/nowhere/x.jsonl", "--data", _folder.FullName);
        Assert.Equal(1, code);
        Assert.Contains("/nowhere/x.jsonl", error, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync("journal", "export", "--data", Path.Combine(_folder.FullName, "none"));
        Assert.Equal(1, code);
        Assert.Contains("There is no database", error, StringComparison.Ordinal);
    }

    private static async Task SucceedsAsync(params string[] arguments)
    {
        var (code, _, error) = await Cli.RunAsync(arguments);
        Assert.True(code == 0, error);
    }

    private Place NewPlace()
    {
        var folder = _folder.CreateSubdirectory($"store-{Guid.NewGuid():N}").FullName;
        return new Place(folder, TestStore.ConnectionString(folder));
    }

    /// <summary>Appends events with all kinds of data and origins. With <paramref name="trim"/>, some topics lose their first
    /// events.</summary>
    private static async Task<Position> FillAsync(Place place, int count, bool trim)
    {
        await using var store = place.Open();
        await store.OpenAsync(Cancel);
        byte[][] data =
        [
            "{\"a\": 1,  \"b\":[1.0, 2e3]}"u8.ToArray(),
            "\"Grüße & <tags>\""u8.ToArray(),
            "[1,\n 2]"u8.ToArray(),
            [0xff, 0x00, 0x0a],
            "null"u8.ToArray(),
            " 7 "u8.ToArray(),
            Encoding.UTF8.GetBytes($"\"{new string('x', 3_000)}\""),
        ];
        for (var i = 0; i < count; i += 1_000)
        {
            var drafts = Enumerable
                .Range(i, Math.Min(1_000, count - i))
                .Select(n => new EventDraft(
                    TopicName.Parse(trim && n % 4 == 0 ? "old/a" : $"t/{n % 7}"),
                    "e.type",
                    data[count > 1_000 ? n % 2 : n % data.Length],
                    n % 3 == 0 ? null : new EventOrigin("ann", n % 3 == 1 ? "s" : null, null, "ü-device")
                )
                {
                    AlsoOn = n % 5 == 0 ? [TopicName.ForText($"https://example.com/{n}?é"), TopicName.Parse("t/also")] : [],
                    IsRestricted = n % 10 == 0,
                    ForeignId = n % 6 == 0 ? $"urn:é:{n}" : null,
                    Format = n % data.Length == 3 ? EventFormat.Binary : EventFormat.Json,
                    Headers = n % 15 == 0 ? Headers : NoHeaders,
                })
                .ToList();
            await store.AppendAsync(drafts, null, Cancel);
        }
        if (trim)
            await TrimAsync(place, "old/a");
        return await store.ReadHeadAsync(Cancel);
    }

    // As the statement trim_slice does, for the first half of a topic.
    private static async Task TrimAsync(Place place, string topic)
    {
        await using var connection = place.Connect();
        await connection.OpenAsync(Cancel);
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            UPDATE dunlin_topic SET trimmed_through = (SELECT max("offset") / 2 FROM dunlin_journal) WHERE name = '{topic}';
            UPDATE dunlin_counter SET value = (SELECT max(trimmed_through) FROM dunlin_topic) WHERE name = 'trimmed_through';
            DELETE FROM dunlin_journal WHERE topic = (SELECT id FROM dunlin_topic WHERE name = '{topic}')
                AND "offset" <= (SELECT value FROM dunlin_counter WHERE name = 'trimmed_through');
            """;
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task<string> DumpAsync(Place place, bool withPositions)
    {
        await using var connection = place.Connect();
        await connection.OpenAsync(Cancel);
        var hash = new StringBuilder();
        var offset = withPositions ? "journal.\"offset\"" : "0";
        await ReadAsync(
            $"""
            SELECT {offset}, topic.name, type, data, user_id, session_id, connection_id, device_id, time, extra
            FROM dunlin_journal journal JOIN dunlin_topic topic ON topic.id = journal.topic ORDER BY journal."offset"
            """
        );
        await ReadAsync(
            $"""
            SELECT {offset}, topic.name FROM dunlin_event_topic journal JOIN dunlin_topic topic ON topic.id = journal.topic
            ORDER BY journal."offset", topic.name
            """
        );
        await ReadAsync($"SELECT {offset}, id FROM dunlin_event_id journal ORDER BY journal.\"offset\", id");
        if (withPositions)
        {
            await ReadAsync("SELECT name, trimmed_through FROM dunlin_topic ORDER BY name");
            await ReadAsync("SELECT name, value FROM dunlin_counter WHERE name <> 'fence' ORDER BY name");
        }
        return hash.ToString();

        async Task ReadAsync(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            while (await rows.ReadAsync(Cancel))
            {
                for (var i = 0; i < rows.FieldCount; i++)
                    hash.Append(rows.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : rows.GetValue(i)).Append('|');
                hash.AppendLine();
            }
        }
    }

    private static async Task<long> CountAsync(Place place)
    {
        await using var connection = place.Connect();
        try
        {
            await connection.OpenAsync(Cancel);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT count(*) FROM dunlin_journal";
            return Convert.ToInt64(await command.ExecuteScalarAsync(Cancel), CultureInfo.InvariantCulture);
        }
        catch (DbException)
        {
            return 0; // the import has not created the table yet
        }
    }

    /// <summary>Passes only these lines to an import, and kills it (SIGKILL) after it has committed some of them.</summary>
    private static async Task KillImportAsync(Place target, IEnumerable<string> lines)
    {
        var (file, arguments) = ServerProgram.Invocation;
        using var import = Process.Start(
            new ProcessStartInfo(file, [.. arguments, "journal", "import", "--keep-positions", .. target.Options])
            {
                RedirectStandardInput = true,
                UseShellExecute = false,
            }
        )!;
        foreach (var line in lines)
            await import.StandardInput.WriteAsync((line + "\n").AsMemory(), Cancel);
        await import.StandardInput.FlushAsync(Cancel);
        await Eventually.TrueAsync(async () => await CountAsync(target) >= 1_000);
        import.Kill();
        await import.WaitForExitAsync(Cancel);
    }

    private sealed record Place(string Folder, string? ConnectionString)
    {
        public string[] Options => ConnectionString is null ? ["--data", Folder] : ["--store", ConnectionString];

        public RelationalStore Open() =>
            ConnectionString is null ? Stores.Sqlite(Path.Combine(Folder, "dunlin.db")) : Stores.Postgres(ConnectionString);

        public DbConnection Connect() =>
            ConnectionString is null
                ? new SqliteConnection($"Data Source={Path.Combine(Folder, "dunlin.db")};Pooling=false;Mode=ReadWrite")
                : new NpgsqlConnection(ConnectionString);
    }
}
