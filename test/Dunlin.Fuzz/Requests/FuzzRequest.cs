using System.Net.Http.Headers;
using System.Text;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Requests;

/// <summary>One request, for sending and as a curl command.</summary>
internal sealed record FuzzRequest(int Number, FuzzEndpoint Endpoint, string Method, string PathAndQuery)
{
    // Longer commands are not printed; the seed reproduces the request.
    private const int MaxPrinted = 4_000;

    public List<(string Name, string Value)> Headers { get; } = [];

    public byte[]? Body { get; set; }

    public bool IsChunked { get; set; }

    /// <summary>The user of the token; null for none.</summary>
    public string? User { get; set; }

    public HttpRequestMessage ToMessage(Uri address)
    {
        var uri = new Uri(
            address.GetLeftPart(UriPartial.Authority) + PathAndQuery,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        var message = new HttpRequestMessage(new HttpMethod(Method), uri);
        if (Body is not null)
            message.Content = new ByteArrayContent(Body);
        foreach (var (name, value) in Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
                message.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        if (IsChunked && Body is not null)
        {
            message.Headers.TransferEncodingChunked = true;
            message.Content!.Headers.ContentLength = null;
        }
        return message;
    }

    public string ToCurl(Uri address)
    {
        var text = new StringBuilder($"curl -i --path-as-is -X {Method} {Quote(address.GetLeftPart(UriPartial.Authority) + PathAndQuery)}");
        foreach (var (name, value) in Headers)
            text.Append(" -H ")
                .Append(Quote($"{name}: {(name == "Authorization" && User is not null ? $"Bearer <token of {User}>" : value)}"));
        if (IsChunked)
            text.Append(" -H 'Transfer-Encoding: chunked'");
        if (Body is { Length: <= MaxPrinted })
            text.Append(" --data-binary ").Append(Quote(Body));
        else if (Body is not null)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $" --data-binary @<{Body.Length} bytes of request {Number}>");
        return text.ToString();
    }

    private static string Quote(string text) => Quote(Encoding.UTF8.GetBytes(text));

    // ANSI-C quoting of bash, which can express every byte.
    private static string Quote(byte[] bytes)
    {
        var text = new StringBuilder("$'");
        foreach (var b in bytes)
        {
            if (b is >= 0x20 and < 0x7f and not ((byte)'\'' or (byte)'\\'))
                text.Append((char)b);
            else
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{b:x2}");
        }
        return text.Append('\'').ToString();
    }
}
