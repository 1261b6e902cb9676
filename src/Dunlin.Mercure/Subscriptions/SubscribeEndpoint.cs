using Dunlin.Diagnostics;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Forms;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>Serves <c>GET</c>, <c>HEAD</c> and <c>QUERY</c> of the hub's URL: the stream of updates.</summary>
internal sealed class SubscribeEndpoint(MercureHub hub, RequestAccess access, MercureStreams streams)
{
    public const string QueryMethod = "QUERY";

    // Room for 100 matchers of the greatest length, percent-encoded.
    private const int MaxBodyBytes = 1024 * 1024;

    public async Task ServeAsync(HttpContext context)
    {
        var reader = await access.FindAsync(context);
        if (reader is null && hub.Options.RequireToken)
            throw AccessRefusedException.NoToken();
        var form = await ReadAsync(context);
        var requested = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : form.LastEventId;
        await streams.ServeAsync(context, new Subscriber(reader, form), requested);
    }

    private async ValueTask<SubscribeForm> ReadAsync(HttpContext context)
    {
        try
        {
            var query = FormText.OfQuery(context.Request);
            return SubscribeForm.Read(query, context.Request.Method == QueryMethod ? await BodyAsync(context) : [], hub);
        }
        catch (FormatException fault)
        {
            throw new DunlinException(ErrorCode.InvalidField, fault.Message);
        }
    }

    // The protocol answers 400 to a list of matchers that is too long, also where a body carries it.
    private static async ValueTask<List<KeyValuePair<string, string>>> BodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength is 0)
            return [];
        try
        {
            return await FormText.ReadAsync(context, MaxBodyBytes);
        }
        catch (DunlinException fault) when (fault.Code == ErrorCode.TooLarge)
        {
            throw new FormatException(fault.Message, fault);
        }
    }
}
