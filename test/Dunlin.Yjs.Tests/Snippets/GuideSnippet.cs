using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Yjs.Tests.Snippets;

/// <summary>The code of docs/guides/edit-together.md that is no program, compiled. SnippetTests holds the two against each other.</summary>
internal static class GuideSnippet
{
    public static async Task BeginAsync(IStore store)
    {
        // <yjs-begin>
        await store.WriteAsync(
            async (unit, ct) =>
                await unit.CreateYjsTextAsync(TopicName.Parse("notes/2"), "text", "From the database.", cancellationToken: ct)
        );
        // </yjs-begin>
    }

    public static void Add(IServiceCollection services)
    {
        // <yjs-server-creates>
        services.AddDunlin().AddYjs(options => options.CreateOnFirstUpdate = false);
        // </yjs-server-creates>
    }
}
