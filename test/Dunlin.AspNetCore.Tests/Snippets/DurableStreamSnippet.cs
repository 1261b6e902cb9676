using System.Text;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/concepts/durable-streams.md, compiled. The test holds the two against each other.</summary>
internal static class DurableStreamSnippet
{
    public static async Task RunAsync(IStore store, DurableStreamReader reader, ReadOnlyMemory<byte> line)
    {
        // <streams>
        var topic = TopicName.Parse("streams/alice/build-7");

        await store.WriteAsync(
            async (unit, ct) =>
            {
                var settings = new StreamSettings { ContentType = "application/json", TimeToLive = TimeSpan.FromDays(30) };
                await unit.Streams.CreateAsync(topic, settings, ct);
                await unit.Streams.AppendAsync(topic, new StreamAppend { Messages = [line] }, ct);
            }
        );

        var page = await reader.ReadAsync(topic, after: -1);
        foreach (var item in page!.Items)
            Console.WriteLine($"{item.Offset}: {Encoding.UTF8.GetString(item.Data.Span)}");
        // </streams>
    }
}
