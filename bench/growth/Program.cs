// Measures how the cost of each operation grows with the events, records, topics, connections, bytes and nodes.
//   dotnet run -c Release --project bench/growth -- sqlite|postgres SECTION... [--sizes 1e5,1e6,1e7] [--out FILE.json] [--folder FOLDER]
//     [--set NAME=VALUE] [--pause]
// Sections: journal, records, topics, connections, bytes, nodes (PostgreSQL only). FOLDER selects the disk of SQLite.
// --set changes a setting of PostgreSQL, for example shared_preload_libraries=pg_stat_statements.
// --pause waits for a line of input before a section's database is deleted, for EXPLAIN.
// --out adds the results to FILE.json, which bench/growth/plot.mjs draws; results of the same store and section are replaced.
#pragma warning disable MA0047 // one file, top-level statements
using System.Globalization;
using Dunlin.Bench.Growth;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : null;

if (args is not ["sqlite" or "postgres", ..])
{
    Console.Error.WriteLine(
        "Usage: sqlite|postgres SECTION... [--sizes 1e5,1e6,1e7] [--out FILE.json] [--folder FOLDER] [--set NAME=VALUE] [--pause]"
    );
    return 1;
}
var sections = args.Skip(1).TakeWhile(static arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToList();
var sizes = Option("--sizes")
    ?.Split(',')
    .Select(static size => (long)double.Parse(size, NumberStyles.Float, CultureInfo.InvariantCulture))
    .ToArray();
foreach (var section in sections)
{
    await using var database = await GrowthDatabase.CreateAsync(args[0], Option("--folder"), Option("--set"));
    var report = new Report(args[0], section);
    Console.WriteLine($"## {section}, {args[0]}: {database.Address}");
    try
    {
        await MeasureAsync(section, database, report);
    }
    catch (Exception exception)
    {
        // Without this, the runtime ends the process before it deletes the database.
        Console.Error.WriteLine(exception);
        return 1;
    }
    finally
    {
        if (args.Contains("--pause"))
            Console.ReadLine();
    }
    report.Print();
    if (Option("--out") is { } file)
        report.Save(file);
}
return 0;

Task MeasureAsync(string section, GrowthDatabase database, Report report) =>
    section switch
    {
        "journal" => new JournalGrowth(database, report).RunAsync(sizes ?? [100_000, 1_000_000, 10_000_000]),
        "records" => new RecordGrowth(database, report).RunAsync(sizes ?? [100_000, 1_000_000, 10_000_000]),
        "topics" => new TopicGrowth(database, report).RunAsync(sizes ?? [1, 1_000, 100_000, 1_000_000]),
        "connections" => new ConnectionGrowth(database, report).RunAsync(sizes ?? [100, 1_000, 10_000]),
        "bytes" => new ByteGrowth(database, report).RunAsync(sizes ?? [1_024, 4_096, 16_384, 65_536]),
        "nodes" => new NodeGrowth(database, report).RunAsync(sizes ?? [1, 2, 3]),
        _ => throw new ArgumentException($"No section '{section}'."),
    };
