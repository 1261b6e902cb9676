using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite.Tests.Support;

/// <summary>The second process: <c>open PATH</c>, <c>append PATH WRITERS</c> or <c>fill PATH</c>.</summary>
public static class ChildProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        await using var store = new SqliteStore(
            Options.Create(new SqliteOptions { Path = args[1] }),
            Options.Create(new RetentionOptions()),
            [],
            new CommitFeed(),
            new StoreClock(TimeProvider.System),
            NullLogger<SqliteStore>.Instance
        );
        try
        {
            await store.OpenAsync();
        }
        catch (InvalidOperationException refused)
        {
            Console.WriteLine($"refused: {refused.Message}");
            return 3;
        }
        switch (args[0])
        {
            case "append":
                await AppendForEverAsync(store, int.Parse(args[2], CultureInfo.InvariantCulture));
                return 0;
            case "fill":
                await FillAsync(store);
                return 0;
            default:
                Console.WriteLine("opened");
                return 0;
        }
    }

    /// <summary>Prints each append after its answer, as <c>writer number offset</c>, until the process is killed.</summary>
    private static Task AppendForEverAsync(SqliteStore store, int writers) =>
        Task.WhenAll(
            Enumerable
                .Range(0, writers)
                .Select(writer =>
                    Task.Run(async () =>
                    {
                        for (var number = 0; ; number++)
                        {
                            var draft = Backend.Draft($"w/{writer}", number);
                            var position =
                                number % 3 == 0
                                    ? await store.WriteAsync((unit, ct) => unit.AppendAsync(draft, ct))
                                    : await store.AppendAsync(draft);
                            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{writer} {number} {position.Offset}"));
                        }
                    })
                )
        );

    /// <summary>Appends until an error, then prints the state of the store.</summary>
    private static async Task FillAsync(SqliteStore store)
    {
        var data = new byte[50_000];
        for (var kept = 0; ; kept++)
        {
            try
            {
                await store.AppendAsync([new EventDraft(Topics.TopicName.Parse("a"), "t", data)], null, default);
            }
            catch (DunlinException first)
            {
                var second = await Assert.ThrowsAsync<DunlinException>(async () => await store.AppendAsync(Backend.Draft("a")));
                var read = await Assert.ThrowsAsync<DunlinException>(async () => await store.ReadAsync(new JournalQuery(0, null), default));
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, store.Faulted)
                    .ContinueWith(static _ => { }, TaskScheduler.Default);
                Console.WriteLine(
                    $"{kept > 0} {first.Code.Code} {second.Code.Code} {read.Code.Code} {store.Fault is Microsoft.Data.Sqlite.SqliteException}"
                );
                return;
            }
        }
    }
}
