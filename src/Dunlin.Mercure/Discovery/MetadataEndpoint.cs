using System.Buffers;
using System.Text.Json;
using Dunlin.Mercure.Access;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Discovery;

/// <summary>Serves the metadata of the hub as an OAuth 2.0 protected resource: RFC 9728.</summary>
internal sealed class MetadataEndpoint(MercureHub hub)
{
    public Task ServeAsync(HttpContext context)
    {
        var body = Body();
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "max-age=3600";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private byte[] Body()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
            Write(json);
        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("resource", hub.Resource);
        if (hub.Options.AuthorizationServers.Count > 0)
            WriteArray(json, "authorization_servers", hub.Options.AuthorizationServers);
        WriteArray(json, "authorization_details_types_supported", [MercureGrants.DetailType]);
        WriteArray(json, "bearer_methods_supported", ["header"]);
        json.WriteString("mercure_cookie", hub.Options.CookieName);
        WriteArray(json, "mercure_matcher_types_supported", [Matchers.TopicMatcher.Exact, Matchers.TopicMatcher.UrlPattern]);
        if (hub.Options.Subscriptions)
            json.WriteBoolean("mercure_subscriptions", true);
        json.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<string> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
            json.WriteStringValue(item);
        json.WriteEndArray();
    }
}
