using Dunlin.Diagnostics;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Yjs;

/// <summary>Extends <see cref="IUnitOfWork"/> with collaborative documents. Stateless.</summary>
public static class YjsUnitOfWork
{
    /// <summary>Creates a document whose shared text has a content, so that no page has to insert it.</summary>
    /// <param name="unit">The unit of work, with which the document commits.</param>
    /// <param name="document">The name of the document, which is its topic.</param>
    /// <param name="name">The name of the shared text: pages use <c>doc.getText(name)</c>.</param>
    /// <param name="text">The content. Yjs counts its positions in UTF-16 code units.</param>
    /// <param name="origin">The cause; null for the server. Default: null.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: the document exists already.</exception>
    /// <remarks>To remove the document, use <c>unit.Streams.DeleteAsync(document)</c>.</remarks>
    public static async ValueTask CreateYjsTextAsync(
        this IUnitOfWork unit,
        TopicName document,
        string name,
        string text,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(unit);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(text);
        var settings = new StreamSettings
        {
            ContentType = YjsDocuments.ContentType,
            Messages = text.Length == 0 ? [] : [YjsEntry.Encode(YjsEntryKind.Update, YjsText.Insert(name, text))],
            Origin = origin,
        };
        var result = await unit.Streams.CreateAsync(document, settings, cancellationToken);
        if (result.Outcome != StreamOutcome.Created)
            throw new DunlinException(ErrorCode.Conflict, $"There is a document or stream '{document}' already. Choose another name.");
    }
}
