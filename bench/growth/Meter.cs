using System.Diagnostics;
using System.Globalization;

namespace Dunlin.Bench.Growth;

/// <summary>Measures wall time, CPU of this process, and CPU of the PostgreSQL server.</summary>
internal sealed class Meter(GrowthDatabase database)
{
    /// <summary>Measures repetitions of an operation, one at a time.</summary>
    /// <param name="times">The number of measured repetitions. A quarter more run first, as a warm-up.</param>
    /// <param name="operation">The operation. It gets the number of the repetition.</param>
    /// <param name="before">Runs before each repetition and is not measured. Null for nothing.</param>
    public async Task<Cost> RepeatAsync(int times, Func<int, Task> operation, Func<Task>? before = null)
    {
        var (walls, cpu, databaseCpu) = (new List<double>(), 0.0, 0.0);
        for (var i = -(times + 3) / 4; i < times; i++)
        {
            if (before is not null)
                await before();
            var start = Read();
            await operation(i);
            var cost = Read() - start;
            if (i < 0)
                continue;
            walls.Add(cost.Wall);
            cpu += cost.Cpu;
            databaseCpu += cost.Database;
        }
        walls.Sort();
        return new Cost(walls[times / 2], walls[times * 9 / 10], cpu / times, databaseCpu / times);
    }

    /// <summary>Measures an operation that can run only once.</summary>
    public async Task<Cost> OnceAsync(Func<Task> operation)
    {
        var start = Read();
        await operation();
        var cost = Read() - start;
        return new Cost(cost.Wall, cost.Wall, cost.Cpu, cost.Database);
    }

    /// <summary>Measures rounds of many operations that run together. The cost is that of one operation.</summary>
    /// <param name="rounds">The number of measured rounds. One more runs first, as a warm-up.</param>
    /// <param name="operations">The number of operations in a round.</param>
    /// <param name="round">Runs a round.</param>
    public async Task<Cost> RoundsAsync(int rounds, int operations, Func<Task> round)
    {
        var cost = await RepeatAsync(rounds, _ => round());
        return new Cost(cost.Median / operations, cost.P90 / operations, cost.Cpu / operations, cost.DatabaseCpu / operations);
    }

    private Reading Read() =>
        new(
            Stopwatch.GetTimestamp() * 1e6 / Stopwatch.Frequency,
            Process.GetCurrentProcess().TotalProcessorTime.TotalMicroseconds,
            DatabaseCpu()
        );

    /// <summary>Returns the CPU time of all processes of the PostgreSQL server, in microseconds.</summary>
    private double DatabaseCpu() =>
        database.ServerProcess is not { } server ? 0 : Children(server).Append(server).Sum(static process => Nanoseconds(process)) / 1e3;

    private static IEnumerable<int> Children(int server)
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"/proc/{server}/task/{server}/children");
        return File.ReadAllText(file)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static child => int.Parse(child, CultureInfo.InvariantCulture));
    }

    private static double Nanoseconds(int process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/schedstat"));
            return double.Parse(text.AsSpan(0, text.IndexOf(' ')), CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0; // the process has ended
        }
    }

    private sealed record Reading(double Wall, double Cpu, double Database)
    {
        public static Reading operator -(Reading a, Reading b) => new(a.Wall - b.Wall, a.Cpu - b.Cpu, a.Database - b.Database);
    }
}
