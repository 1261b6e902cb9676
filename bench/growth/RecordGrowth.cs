using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Replicache.Pokes;
using Dunlin.RxDb;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures pulls of Replicache and RxDB over HTTP, from a space with a growing number of records.</summary>
internal sealed class RecordGrowth(GrowthDatabase database, Report report)
{
    private const int Changes = 100;

    // A count reads all records of the space. Of more, it would exceed the limit of a unit of work.
    private const int LargestCount = 1_000_000;

    private static readonly SpaceName Space = SpaceName.Parse("growth/large");

    private readonly Meter _meter = new(database);
    private JsonNode? _cookie;

    public async Task RunAsync(long[] sizes)
    {
        var node = await database.StartAsync();
        await WriteAsync(node, async records => await records.GrantAsync(Space, GrowthDatabase.User));
        await WriteAsync(node, async records => await PutAsync(records, "template", "n"));
        using (var client = Client(node))
            _cookie = await ReplicacheAsync(client, null, 1);
        long records = 0;
        foreach (var size in sizes)
        {
            await GrowthDatabase.StopAsync(node);
            await FillAsync(records, size);
            records = size;
            node = await database.StartAsync();
            await MeasureAsync(node, size);
        }
        await GrowthDatabase.StopAsync(node);
    }

    /// <summary>Adds copies of a record that the engine has written, with their own keys and ids.</summary>
    private async Task FillAsync(long from, long to)
    {
        await using var connection = await database.ConnectAsync();
        if (from == 0)
        {
            await GrowthDatabase.ExecuteAsync(
                connection,
                "CREATE TABLE growth_record AS SELECT * FROM dunlin_record WHERE space = 'growth/large' AND key = 'thing/template'"
            );
        }
        var value = database.IsPostgres
            ? "convert_to(replace(convert_from(value, 'UTF8'), 'template', 'r' || n), 'UTF8')"
            : "CAST(replace(CAST(value AS TEXT), 'template', 'r' || n) AS BLOB)";
        await database.FillAsync(
            connection,
            "INSERT INTO dunlin_record (space, key, version, created, deleted_at, audience, value) "
                + $"SELECT space, 'thing/r' || n, n + 1000, n + 1000, deleted_at, audience, {value}",
            from + 1,
            to,
            ", growth_record"
        );
        // A version is the offset of an event. Retention has removed these.
        await GrowthDatabase.ExecuteAsync(connection, $"UPDATE dunlin_counter SET value = {to + 2_000} WHERE name = 'trimmed_through'");
        await database.MaintainAsync(connection);
    }

    private async Task MeasureAsync(WebApplication node, long size)
    {
        using var client = Client(node);
        var position = node.Services.GetRequiredService<IJournal>().Head;
        await CheckAsync(client, size);
        // The cookie of a client that has all records: a pull of all of them is no part of the measurement.
        var cookie = _cookie!.DeepClone();
        (cookie["order"], cookie["at"]) = (position.Offset, position.ToString());
        report.Add("Replicache pull, no change", size, await _meter.RepeatAsync(60, async _ => await ReplicacheAsync(client, cookie, 0)));
        var at = position.ToString();
        report.Add("RxDB pull, no change", size, await _meter.RepeatAsync(60, async _ => await RxDbAsync(client, at, 0)));
        await WriteAsync(
            node,
            async records =>
            {
                for (var i = 0; i < Changes; i++)
                    await PutAsync(
                        records,
                        string.Create(CultureInfo.InvariantCulture, $"r{(i * (size / Changes)) + 1}"),
                        "changed at " + size
                    );
            }
        );
        report.Add(
            "Replicache pull, 100 changes",
            size,
            await _meter.RepeatAsync(60, async _ => await ReplicacheAsync(client, cookie, Changes))
        );
        report.Add("RxDB pull, 100 changes", size, await _meter.RepeatAsync(60, async _ => await RxDbAsync(client, at, Changes)));
        report.Add(
            "a write of one record",
            size,
            await _meter.RepeatAsync(60, async i => await WriteAsync(node, async records => await PutAsync(records, $"r{i + 1_000}", "n")))
        );
        if (size > LargestCount)
            return;
        report.Add(
            "a count of the records of a space",
            size,
            await _meter.RepeatAsync(9, async _ => await WriteAsync(node, async records => await records.CountAsync(Space)))
        );
    }

    private static HttpClient Client(WebApplication node) => new() { BaseAddress = new Uri(node.Urls.First()) };

    private static async Task CheckAsync(HttpClient client, long size)
    {
        var page = JsonNode.Parse(await client.GetStringAsync("/rxdb/pull/things?limit=1000"))!["documents"]!.AsArray();
        if (page.Count < 1_000 || page.Any(static document => document!["text"] is null))
            throw new InvalidOperationException($"The engine does not read the {size} copied records.");
    }

    /// <returns>The next cookie.</returns>
    private static async Task<JsonNode> ReplicacheAsync(HttpClient client, JsonNode? cookie, int? expected)
    {
        var body = new JsonObject
        {
            ["pullVersion"] = 1,
            ["clientGroupID"] = "growth",
            ["profileID"] = "p",
            ["schemaVersion"] = "1",
            ["cookie"] = cookie?.DeepClone(),
        };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri("/replicache/pull", UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
        var pull = JsonNode.Parse(await answer.Content.ReadAsByteArrayAsync())!;
        if (expected is { } count && pull["patch"]!.AsArray().Count != count)
            throw new InvalidOperationException($"The pull has {pull["patch"]!.AsArray().Count} changes, not {count}.");
        return pull["cookie"]!;
    }

    private static async Task RxDbAsync(HttpClient client, string position, int expected)
    {
        var answer = await client.GetByteArrayAsync(new Uri($"/rxdb/pull/things?limit=1000&position={position}", UriKind.Relative));
        var documents = JsonNode.Parse(answer)!["documents"]!.AsArray();
        if (documents.Count != expected)
            throw new InvalidOperationException($"The pull has {documents.Count} documents, not {expected}.");
    }

    private static ValueTask<Dunlin.Records.RecordRow> PutAsync(RecordWriter records, string id, string text) =>
        records.PutAsync(
            Space,
            "thing/" + id,
            new
            {
                id,
                text,
                note = new string('x', 60),
            }
        );

    private static async Task WriteAsync(WebApplication node, Func<RecordWriter, Task> work)
    {
        var documents = node.Services.GetRequiredService<RxDocuments>();
        await node
            .Services.GetRequiredService<IStore>()
            .WriteAsync(
                async (unit, ct) =>
                {
                    var records = unit.Records();
                    await work(records);
                    await unit.AppendPokesAsync(records, cancellationToken: ct);
                    await documents.AnnounceAsync(unit, records, cancellationToken: ct);
                }
            );
    }
}
