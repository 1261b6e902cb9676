using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/concepts/topics-and-patterns.md about events with several topics.</summary>
internal static class SeveralTopicsSnippet
{
    public static async Task<Position?> PublishAsync(IJournal journal, byte[] data, CancellationToken ct)
    {
        // <several-topics>
        const string id = "urn:uuid:6f4a4c5e-6c1c-4f0b-9d0e-0c1d2e3f4a5b";
        var draft = new EventDraft(TopicName.ForText("https://example.com/books/1"), "message", data)
        {
            AlsoOn = [TopicName.ForText("https://example.com/books"), TopicName.Parse("teams/7/books")],
            IsRestricted = true, // only for connections whose protocol checks each event
            ForeignId = id,
            Format = EventFormat.Text,
        };
        await journal.AppendAsync(draft, ct);
        var position = await journal.FindAsync(id, ct);
        // </several-topics>
        return position;
    }
}
