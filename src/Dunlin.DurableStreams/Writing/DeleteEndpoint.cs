using Dunlin.DurableStreams.Wire;
using Dunlin.Journal;
using Dunlin.Publishing;
using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Writing;

/// <summary>Serves <c>DELETE</c> of a stream.</summary>
internal sealed class DeleteEndpoint(IStore store, StreamRights rights, PublishRate rate)
{
    public async Task ServeAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = await rights.RequireWriteAsync(context, name);
        rate.Take(caller, 1, topic);
        var stream = await store.WriteAsync((unit, ct) => unit.Streams.DeleteAsync(topic, ct), CancellationToken.None);
        if (stream is null)
            throw StreamErrors.NotFound();
        if (stream.IsDeleted)
            throw StreamErrors.Deleted();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
