using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.DurableStreams.Tests.Snippets;

/// <summary>The code of docs/guides/durable-streams.md, compiled. SnippetTests holds the two against each other.</summary>
internal static class GuideSnippet
{
    public static void Map(WebApplicationBuilder builder, WebApplication app)
    {
        // <streams-map>
        builder.Services.AddDunlin().AddSqlite("data/app.db").AddDurableStreams();
        app.MapDurableStreams("/streams");
        // </streams-map>
    }

    public static async Task AppendAsync(IStore store, SpaceName space, Order order, ReadOnlyMemory<byte> json)
    {
        // <streams-append>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Records().PutAsync(space, order.Id, order, cancellationToken: ct);
                await unit.Streams.AppendAsync(TopicName.Parse("streams/alice/orders"), new StreamAppend { Messages = [json] }, ct);
            }
        );
        // </streams-append>
    }

    internal sealed record Order(string Id);
}
