using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Client.Security;
using Dunlin.Client.Streams;
using Microsoft.Extensions.Logging;

namespace Dunlin.Client;

/// <summary>An answer of the server with a success status.</summary>
internal readonly record struct ClientAnswer(int Status, byte[] Body)
{
    /// <exception cref="DunlinClientException">The body is not JSON of this type.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type) ?? throw new JsonException("The answer is null.");
        }
        catch (JsonException exception)
        {
            throw new DunlinClientException(
                ClientProblem.Unexpected("unexpected", "The answer is not the JSON of a Dunlin server.", Status),
                exception
            );
        }
    }
}

/// <summary>Sends requests with JSON bodies. Every refusal becomes a <see cref="DunlinClientException"/>. Thread-safe.</summary>
internal sealed class ClientRequests(HttpClient http, DunlinClientOptions options, TokenSource tokens, ILogger logger)
{
    // An answer is at most a page of 1,000 events with 64 KiB each, and their escapes.
    private const int MaxAnswer = 128 * 1024 * 1024;

    private readonly string _base = options.Address!.AbsoluteUri.TrimEnd('/');
    private readonly string _device = options.Device ?? Guid.NewGuid().ToString("N");

    public TimeProvider Time => options.TimeProvider;

    public ILogger Logger => logger;

    public TokenSource Tokens => tokens;

    public DunlinClientOptions Options => options;

    /// <summary>Gets the choice of the transport, which all streams of the client share.</summary>
    public TransportChooser Transports { get; } = new(options.TimeProvider);

    /// <summary>Gets or sets the function that returns the id of an open stream. The server learns the origin of a request from
    /// it.</summary>
    public Func<string?> ConnectionId { get; set; } = static () => null;

    public Task<ClientAnswer> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, null, cancellationToken);

    public Task<ClientAnswer> SendJsonAsync<T>(
        HttpMethod method,
        string path,
        T body,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    ) => SendAsync(method, path, JsonSerializer.SerializeToUtf8Bytes(body, type), null, cancellationToken);

    /// <summary>Sends a request, and repeats it once with a new token after a 401.</summary>
    public async Task<ClientAnswer> SendAsync(
        HttpMethod method,
        string path,
        ReadOnlyMemory<byte>? body,
        (string Name, string Value)? header,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new CancellationTokenSource(options.RequestTimeout, options.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var token = await tokens.GetAsync(linked.Token).ConfigureAwait(false);
            for (var mayRenew = true; ; mayRenew = false)
            {
                using var request = NewRequest(method, path, token);
                request.Headers.Accept.ParseAdd("application/json, application/problem+json");
                if (ConnectionId() is { } connection)
                    request.Headers.TryAddWithoutValidation("Dunlin-Connection", connection);
                if (header is { } extra)
                    request.Headers.TryAddWithoutValidation(extra.Name, extra.Value);
                if (body is { } bytes)
                {
                    request.Content = new ReadOnlyMemoryContent(bytes);
                    request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                }
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token)
                    .ConfigureAwait(false);
                if (
                    response.StatusCode == HttpStatusCode.Unauthorized
                    && mayRenew
                    && await tokens.RenewAsync(token, linked.Token).ConfigureAwait(false)
                )
                {
                    token = await tokens.GetAsync(linked.Token).ConfigureAwait(false);
                    continue;
                }
                if (!response.IsSuccessStatusCode)
                    throw new DunlinClientException(await ProblemReader.ReadAsync(response, linked.Token).ConfigureAwait(false));
                await response.Content.LoadIntoBufferAsync(MaxAnswer, linked.Token).ConfigureAwait(false);
                return new((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(linked.Token).ConfigureAwait(false));
            }
        }
        catch (Exception exception) when (exception is not DunlinClientException && !cancellationToken.IsCancellationRequested)
        {
            throw new DunlinClientException(ProblemOf(exception), exception);
        }
    }

    /// <summary>Creates a request with the headers that all requests and streams have.</summary>
    public HttpRequestMessage NewRequest(HttpMethod method, string path, Token token)
    {
        var request = new HttpRequestMessage(method, _base + path)
        {
            Version = options.HttpVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.TryAddWithoutValidation("Dunlin-Device", _device);
        if (token.Value is not null)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token.Value);
        if (options.User is not null)
            request.Headers.TryAddWithoutValidation("Dunlin-User", Uri.EscapeDataString(options.User));
        return request;
    }

    public HttpClient Http => http;

    /// <summary>Returns the problem behind an exception of a request or a stream.</summary>
    public static ClientProblem ProblemOf(Exception exception) =>
        exception switch
        {
            DunlinClientException known => known.Problem,
            OperationCanceledException => ClientProblem.Network("The server did not answer in time.", "timeout"),
            // HttpClient lets a socket's error pass if the connection breaks while it is being established.
            HttpRequestException or IOException or SocketException => ClientProblem.Network(exception.Message),
            // A handler that was disposed below a running request, by the factory or at the end of the process.
            ObjectDisposedException => ClientProblem.Network(exception.Message),
            _ => ClientProblem.Unexpected("unexpected", exception.Message),
        };
}
