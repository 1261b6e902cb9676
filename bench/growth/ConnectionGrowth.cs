using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures how readers join and leave while a growing number of others is connected: readers of one topic or of their own, of one
/// user (as anonymous readers are) or of many.</summary>
internal sealed class ConnectionGrowth(GrowthDatabase database, Report report)
{
    private const int Moving = 500;

    private readonly Meter _meter = new(database);

    public async Task RunAsync(long[] sizes)
    {
        var node = await database.StartAsync();
        foreach (var size in sizes)
        {
            await MeasureAsync(node, (int)size, "one topic, one user", static _ => ("u", "one"));
            await MeasureAsync(node, (int)size, "one topic, own users", static i => ("u" + i, "one"));
            await MeasureAsync(node, (int)size, "own topics, own users", static i => ("u" + i, "own/" + i));
        }
        await GrowthDatabase.StopAsync(node);
    }

    private async Task MeasureAsync(WebApplication node, int size, string name, Func<string, (string User, string Topic)> choose)
    {
        var fanout = node.Services.GetRequiredService<EventFanout>();
        var deliveries = new Deliveries();
        var open = new List<EventStreamConnection>();
        for (var i = 0; i < size; i++)
            open.Add(await JoinAsync(i));
        var joined = new List<EventStreamConnection>();
        var join = await _meter.RepeatAsync(
            9,
            async _ =>
            {
                for (var i = 0; i < Moving; i++)
                    joined.Add(await JoinAsync(size + i));
                await fanout.SettledAsync();
            },
            () => LeaveAsync(joined)
        );
        await LeaveAsync(joined);
        var leave = await _meter.RepeatAsync(
            9,
            _ => LeaveAsync(joined),
            async () =>
            {
                // Others have joined since: the leaving readers are in the middle of each list.
                for (var i = 0; i < Moving; i++)
                {
                    joined.Add(open[i * (open.Count / Moving) % open.Count]);
                    open[i * (open.Count / Moving) % open.Count] = await JoinAsync(size + i);
                }
                await fanout.SettledAsync();
            }
        );
        report.Add("join, " + name, size, Each(join));
        report.Add("leave, " + name, size, Each(leave));
        await LeaveAsync(open);

        async Task<EventStreamConnection> JoinAsync(int number)
        {
            var (user, topic) = choose(number.ToString(CultureInfo.InvariantCulture));
            var connection = fanout.Open(
                new ConnectionRequest(new Caller(user, user), [TopicName.Parse(topic)], new CountingSink(deliveries))
            );
            await fanout.StartAsync(connection, default, fanout.DeliveredHead);
            return connection;
        }

        async Task LeaveAsync(List<EventStreamConnection> leaving)
        {
            foreach (var connection in leaving.Distinct())
                connection.Close(ConnectionEnd.Gone);
            await Task.WhenAll(leaving.Select(static connection => connection.Completion));
            leaving.Clear();
            await fanout.SettledAsync();
        }
    }

    private static Cost Each(Cost cost) => new(cost.Median / Moving, cost.P90 / Moving, cost.Cpu / Moving, cost.DatabaseCpu / Moving);
}
