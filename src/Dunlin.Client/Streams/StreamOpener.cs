using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Dunlin.Client.Security;

namespace Dunlin.Client.Streams;

/// <summary>An open stream, or the reason why it could not be opened.</summary>
internal readonly record struct OpenedBody(HttpResponseMessage? Response, ClientProblem? Problem)
{
    public StreamTransport Transport { get; init; }
}

/// <summary>Makes attempts to open a stream. Thread-safe.</summary>
internal sealed class StreamOpener(ClientRequests requests, StreamTarget target)
{
    /// <summary>Makes one attempt over the transport of the client, with at most one renewal of the token, and waits for the first
    /// byte.</summary>
    /// <param name="position">The position to resume from.</param>
    /// <param name="renewsFirst">Whether the server ended the last stream because the token expired.</param>
    /// <param name="expired">The token of the last stream.</param>
    /// <param name="onToken">Receives the token of the request.</param>
    /// <param name="wait">The seconds that a poll may wait for events.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The response, or a refusal of the server. Network errors are thrown.</returns>
    public async Task<OpenedBody> OpenAsync(
        StreamPosition? position,
        bool renewsFirst,
        Token? expired,
        Action<Token> onToken,
        int wait,
        CancellationToken cancellationToken
    )
    {
        var transports = requests.Transports;
        if (!requests.Options.FallsBackToLongPoll)
            return await OpenAsync(position, renewsFirst, expired, onToken, (int?)null, cancellationToken).ConfigureAwait(false);
        if (transports.Next() == StreamTransport.Sse)
        {
            using var limit = new CancellationTokenSource(TransportChooser.FirstBytes, requests.Time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                var opened = await OpenAsync(position, renewsFirst, expired, onToken, (int?)null, linked.Token).ConfigureAwait(false);
                return await FirstBytesAsync(opened, StreamTransport.Sse, linked.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                renewsFirst = false; // the first attempt has renewed the token
            }
        }
        var polled = await OpenAsync(position, renewsFirst, expired, onToken, (int?)wait, cancellationToken).ConfigureAwait(false);
        return await FirstBytesAsync(polled, StreamTransport.LongPoll, cancellationToken).ConfigureAwait(false);
    }

    private async Task<OpenedBody> FirstBytesAsync(OpenedBody opened, StreamTransport transport, CancellationToken cancellationToken)
    {
        if (opened.Response is not { } response)
            return opened;
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            // An empty read completes with the first byte, or at the end.
            await body.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
        requests.Transports.Opened(transport);
        return opened with { Transport = transport };
    }

    private async Task<OpenedBody> OpenAsync(
        StreamPosition? position,
        bool renewsFirst,
        Token? expired,
        Action<Token> onToken,
        int? wait,
        CancellationToken cancellationToken
    )
    {
        var tokens = requests.Tokens;
        var mayRenew = true;
        if (renewsFirst && tokens.CanRenew)
        {
            mayRenew = false;
            if (!await tokens.RenewAsync(expired, cancellationToken).ConfigureAwait(false))
                return new OpenedBody(null, ClientProblem.SessionEnded);
        }
        var token = await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
        onToken(token);
        var response = await SendAsync(position, token, wait, cancellationToken).ConfigureAwait(false);
        if (
            response.StatusCode == HttpStatusCode.Unauthorized
            && mayRenew
            && await RenewAsync(response, token, cancellationToken).ConfigureAwait(false)
        )
        {
            response.Dispose();
            token = await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
            onToken(token);
            response = await SendAsync(position, token, wait, cancellationToken).ConfigureAwait(false);
        }
        return await CheckAsync(response, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> RenewAsync(HttpResponseMessage response, Token token, CancellationToken cancellationToken)
    {
        try
        {
            return await requests.Tokens.RenewAsync(token, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(StreamPosition? position, Token token, int? wait, CancellationToken cancellationToken)
    {
        using var request = requests.NewRequest(target.Form is null ? HttpMethod.Get : HttpMethod.Post, target.PathOf(wait), token);
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.CacheControl = new CacheControlHeaderValue { NoStore = true };
        if (position?.ToString() is { } id && StreamPosition.IsHeaderSafe(id))
            request.Headers.TryAddWithoutValidation("Last-Event-ID", id);
        if (target.Form is not null)
            request.Content = new StringContent(target.Form, Encoding.ASCII, "application/x-www-form-urlencoded");
        return await requests.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<OpenedBody> CheckAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        ClientProblem? problem = null;
        if (!response.IsSuccessStatusCode)
            problem = await ProblemReader.ReadAsync(response, cancellationToken).ConfigureAwait(false);
        else if (response.StatusCode == HttpStatusCode.NoContent)
            problem = ClientProblem.Unexpected("noContent", "The server has nothing to stream.", 204);
        else if (response.Content.Headers.ContentType?.MediaType?.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) != true)
            // A temporary page of an intermediary, such as a login page of a network or an error page of a proxy: try again.
            problem = new ClientProblem
            {
                Kind = ProblemKind.Busy,
                Code = "notAStream",
                Title = "The answer is not an event stream.",
                Status = (int)response.StatusCode,
                Class = ProblemClass.Retry,
            };
        if (problem is null)
            return new OpenedBody(response, null);
        response.Dispose();
        return new OpenedBody(null, problem);
    }
}
