using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Server.Commands.Remote;

/// <summary>Sends JSON requests for which <see cref="Client.DunlinClient"/> has no method. Not thread-safe.</summary>
internal sealed class RemoteHttp(Uri server, Func<string?> token) : IDisposable
{
    // The server limits a test of a webhook to five minutes.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(6);

    private readonly HttpClient _http = new() { BaseAddress = server, Timeout = Timeout };

    /// <summary>Sends a request and returns its answer; an undefined element if the answer has no body.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path below the address of the server.</param>
    /// <param name="writeMembers">Writes the members of the body; null for a request without a body.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="CommandFault">The server is unreachable or refused the request.</exception>
    public async Task<JsonElement> SendAsync(
        HttpMethod method,
        string path,
        Action<Utf8JsonWriter>? writeMembers,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (token() is { } bearer)
            request.Headers.Authorization = HeaderOf(bearer);
        if (writeMembers is not null)
            request.Content = ContentOf(writeMembers);
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw CommandFault.OfAnswer((int)response.StatusCode, body);
            return body.Length == 0 ? default : Parse(body, (int)response.StatusCode);
        }
        catch (Exception exception)
            when (exception
                    is HttpRequestException
                        or SocketException
                        or IOException
                        or TaskCanceledException { InnerException: TimeoutException }
            )
        {
            throw CommandFault.Unreachable(server, Doctor.ServerChecks.Innermost(exception), exception);
        }
    }

    public void Dispose() => _http.Dispose();

    private static AuthenticationHeaderValue HeaderOf(string bearer) =>
        AuthenticationHeaderValue.TryParse($"Bearer {bearer}", out var header)
            ? header
            : throw CommandFault.Usage("The token has characters that no header can carry. Give the token alone.");

    private static ByteArrayContent ContentOf(Action<Utf8JsonWriter> writeMembers)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            writeMembers(json);
            json.WriteEndObject();
        }
        return new ByteArrayContent(buffer.ToArray())
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json", Encoding.UTF8.WebName) },
        };
    }

    private static JsonElement Parse(string body, int status)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw CommandFault.OfAnswer(status, null);
        }
    }
}

/// <summary>Connects commands with <see cref="RemoteHttp"/>.</summary>
internal static class RemoteHttpCalls
{
    /// <summary>Runs the action of a command with a connection to the server that its options name.</summary>
    public static Command Requests(this Command command, Func<CommandRun, RemoteHttp, Task> action) =>
        command
            .With(RemoteServer.Server, RemoteServer.Token)
            .Runs(async run =>
            {
                var server = RemoteServer.AddressOf(run);
                using var remote = new RemoteHttp(server, RemoteServer.TokenOf(run, server));
                await action(run, remote);
            });
}
