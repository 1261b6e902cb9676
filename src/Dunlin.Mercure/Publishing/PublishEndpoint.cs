using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Forms;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Publishing;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Mercure.Publishing;

/// <summary>Serves <c>POST</c> of the hub's URL: one update in one transaction. Answers with its id.</summary>
internal sealed class PublishEndpoint(MercureHub hub, RequestAccess access, PublishRate rate, EventFanout fanout, IJournal journal)
{
    public async Task ServeAsync(HttpContext context)
    {
        var publisher = await access.RequireAsync(context);
        if (publisher.Source == TokenSource.Cookie)
            RequireTrustedOrigin(context.Request);
        var update = await ReadAsync(context);
        if (!publisher.Grants.MayPublish(update.Topics))
            throw AccessRefusedException.InsufficientScope(
                publisher.Dialect,
                "The access token does not permit to publish to all topics of the update."
            );
        var draft = DraftOf(update);
        if (!publisher.Grants.MayPublishAnything)
            rate.Take(publisher.UserId, 1, [draft.Topic, .. draft.AlsoOn]);
        // The token of the request is not passed on: a cancelled append may still commit, and its caller has gone.
        var positions = await fanout.Flow.RunAsync(
            publisher.UserId,
            1,
            () => journal.AppendAsync([draft], null, CancellationToken.None),
            context.RequestAborted
        );
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(MercureFormat.IdOf(draft.ForeignId, positions[0]), context.RequestAborted);
    }

    private async ValueTask<Update> ReadAsync(HttpContext context)
    {
        try
        {
            var fields = new Dictionary<string, StringValues>(StringComparer.Ordinal);
            foreach (var (name, value) in await FormText.ReadAsync(context, hub.Options.MaxUpdateBytes))
                fields[name] = StringValues.Concat(fields.GetValueOrDefault(name), value);
            return UpdateForm.Read(new FormCollection(fields), hub.Url);
        }
        catch (FormatException fault)
        {
            throw new DunlinException(ErrorCode.InvalidField, fault.Message);
        }
        catch (UpdateTooLargeException fault)
        {
            throw new DunlinException(ErrorCode.TooLarge, fault.Message);
        }
    }

    private EventDraft DraftOf(Update update)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (update.Type is not null)
            headers.Add(MercureFormat.TypeHeader, update.Type);
        if (update.Retry is not null)
            headers.Add(MercureFormat.RetryHeader, update.Retry);
        return new EventDraft(TopicName.ForText(update.Topics[0].Text), MercureFormat.UpdateType, Encoding.UTF8.GetBytes(update.Data))
        {
            AlsoOn = [.. update.Topics.Skip(1).Select(static topic => TopicName.ForText(topic.Text)).Distinct()],
            IsRestricted = update.IsPrivate,
            ForeignId = update.Id ?? (hub.Options.RandomIds ? $"urn:uuid:{Guid.NewGuid()}" : null),
            Format = EventFormat.Text,
            Headers = headers,
        };
    }

    /// <summary>Refuses a publication with a cookie from another site, which the visitor's browser sends without asking.</summary>
    private void RequireTrustedOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 && Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var referrer))
            origin = referrer.GetLeftPart(UriPartial.Authority);
        if (origin != hub.Origin && !hub.Options.PublishOrigins.Contains(origin))
            throw new DunlinException(ErrorCode.OriginRefused, field: "Origin");
    }
}
