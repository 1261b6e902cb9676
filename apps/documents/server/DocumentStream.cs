using Dunlin.Apps.Documents.Collections;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Documents;

/// <summary>
/// <c>GET /api/v1/sse/subscribe</c>: events of the collections that the caller may read, except those of the caller's own session.
/// </summary>
internal sealed class DocumentStream(EventStreams streams, IStore store)
{
    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var collections = await store.ReadAsync(
            async (scope, _) => await CollectionRows.ListAsync(scope.Connection, caller),
            context.RequestAborted
        );
        TopicName[] topics =
        [
            DocumentNames.NoticesTopic,
            DocumentNames.UserTopic(caller.UserId),
            .. collections.Select(c => DocumentNames.Topic(c.Id)),
        ];
        await streams.ServeAsync(
            context,
            new StreamRequest(topics)
            {
                Format = DocumentFormat.Instance,
                Exclusion = OriginExclusion.Session,
                OnOpen = static (opening, _) =>
                {
                    opening.WriteWithPosition(static frame =>
                    {
                        frame.Name("connected");
                        frame.Data("Stream connected");
                    });
                    return ValueTask.CompletedTask;
                },
            }
        );
    }
}
