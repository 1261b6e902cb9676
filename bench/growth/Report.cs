using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dunlin.Bench.Growth;

/// <summary>The results of one section: printed as a table, and saved for the plots.</summary>
internal sealed class Report(string store, string section)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly List<(string Operation, long Size, Cost Cost)> _rows = [];

    public void Add(string operation, long size, Cost cost)
    {
        _rows.Add((operation, size, cost));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  {operation, -44} at {size, 10:N0}: median {cost.Median:0.0}, p90 {cost.P90:0.0}, CPU {cost.Cpu:0.0}, of the database {cost.DatabaseCpu:0.0} {cost.Unit}"
            )
        );
    }

    /// <summary>Prints a Markdown table: median (p90), CPU of the process and CPU of the database for each size.</summary>
    public void Print()
    {
        var sizes = _rows.Select(static row => row.Size).Distinct().ToList();
        Console.WriteLine(
            $"\n| {store} | {string.Join(" | ", sizes.Select(static size => size.ToString("N0", CultureInfo.InvariantCulture)))} |"
        );
        Console.WriteLine($"|---|{string.Concat(sizes.Select(static _ => "---|"))}");
        foreach (var operation in _rows.GroupBy(static row => row.Operation))
        {
            var cells = sizes.Select(size =>
                operation.Where(row => row.Size == size).Select(static row => Cell(row.Cost)).FirstOrDefault("")
            );
            Console.WriteLine($"| {operation.Key}, {operation.First().Cost.Unit} | {string.Join(" | ", cells)} |");
        }
        Console.WriteLine();
    }

    /// <summary>Replaces the results of this store and section in a file.</summary>
    public void Save(string file)
    {
        var all = File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file))!.AsArray() : [];
        foreach (var old in all.Where(row => (string?)row!["store"] == store && (string?)row["section"] == section).ToList())
            all.Remove(old);
        foreach (var (operation, size, cost) in _rows)
        {
            all.Add(
                new JsonObject
                {
                    ["store"] = store,
                    ["section"] = section,
                    ["operation"] = operation,
                    ["size"] = size,
                    ["unit"] = cost.Unit,
                    ["median"] = Math.Round(cost.Median, 2),
                    ["p90"] = Math.Round(cost.P90, 2),
                    ["cpu"] = Math.Round(cost.Cpu, 2),
                    ["databaseCpu"] = Math.Round(cost.DatabaseCpu, 2),
                }
            );
        }
        File.WriteAllText(file, all.ToJsonString(Indented) + "\n");
    }

    private static string Cell(Cost cost) =>
        cost.Cpu + cost.DatabaseCpu > 0
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{Number(cost.Median)} ({Number(cost.P90)}); {Number(cost.Cpu)} + {Number(cost.DatabaseCpu)}"
            )
            : Number(cost.Median);

    private static string Number(double value) => value.ToString(value < 10 ? "0.0" : "N0", CultureInfo.InvariantCulture);
}

/// <summary>The cost of one operation.</summary>
/// <param name="Median">The median wall time, in <paramref name="Unit"/>.</param>
/// <param name="P90">The wall time that 90 % of the repetitions do not exceed.</param>
/// <param name="Cpu">The mean CPU time of this process.</param>
/// <param name="DatabaseCpu">The mean CPU time of the PostgreSQL server; 0 for SQLite.</param>
/// <param name="Unit">The unit of all values.</param>
internal sealed record Cost(double Median, double P90, double Cpu, double DatabaseCpu, string Unit = "us");
