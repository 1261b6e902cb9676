using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using AiChat.Chats;
using Microsoft.Extensions.Options;

namespace AiChat.Answers;

/// <summary>Calls a model over the OpenAI chat completions API. Thread-safe.</summary>
public sealed class ChatModel(IOptionsMonitor<ModelOptions> options, TimeProvider? time = null) : IDisposable
{
    /// <summary>Characters of one batch, which become one event.</summary>
    private const int MaxBatch = 8_192;

    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan }; // MaxSilence limits each read instead

    public void Dispose() => _http.Dispose();

    // <ai-batches>
    /// <summary>Answers a conversation, or continues its last turn if that is an answer with text.</summary>
    /// <returns>The text in batches: each has the tokens that came while the caller was busy with the batch before.</returns>
    /// <exception cref="ModelException">The model refused, could not be reached, was silent for too long, or ended too early.</exception>
    public async IAsyncEnumerable<string> AnswerAsync(IEnumerable<Turn> turns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Bounded: a model that is faster than the store waits.
        var tokens = Channel.CreateBounded<string>(256);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reader = ReadAsync([.. turns], tokens.Writer, reading.Token);
        try
        {
            while (await tokens.Reader.WaitToReadAsync(cancellationToken))
            {
                var batch = new StringBuilder();
                while (batch.Length < MaxBatch && tokens.Reader.TryRead(out var token))
                    batch.Append(token);
                yield return batch.ToString();
            }
        }
        finally
        {
            await reading.CancelAsync();
            await reader; // throws nothing: its error completes the channel
        }
    }

    // </ai-batches>

    private async Task ReadAsync(IReadOnlyList<Turn> turns, ChannelWriter<string> tokens, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        using var silence = new CancellationTokenSource(settings.MaxSilence, time ?? TimeProvider.System);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        try
        {
            using var request = RequestOf(settings, turns);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (!response.IsSuccessStatusCode)
                throw new ModelException($"The model refused to answer ({(int)response.StatusCode}).");
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            await foreach (var item in SseParser.Create(body).EnumerateAsync(limit.Token))
            {
                silence.CancelAfter(settings.MaxSilence);
                if (item.Data == "[DONE]")
                {
                    tokens.Complete();
                    return;
                }
                if (TokenOf(item.Data) is { Length: > 0 } token)
                    await tokens.WriteAsync(token, limit.Token);
            }
            throw new ModelException("The model ended its answer too early.");
        }
#pragma warning disable CA1031 // the caller gets the error
        catch (Exception error)
#pragma warning restore CA1031
        {
            tokens.Complete(
                error switch
                {
                    OperationCanceledException when cancellationToken.IsCancellationRequested => error,
                    OperationCanceledException => new ModelException(
                        $"The model sent nothing for {settings.MaxSilence.TotalSeconds:0} seconds.",
                        error
                    ),
                    HttpRequestException or SocketException or IOException => new ModelException(
                        "The connection to the model failed.",
                        error
                    ),
                    JsonException => new ModelException("The model sent text that is not valid.", error),
                    _ => error,
                }
            );
        }
    }

    private static HttpRequestMessage RequestOf(ModelOptions settings, IReadOnlyList<Turn> turns)
    {
        var address = new Uri(settings.Address.TrimEnd('/') + "/v1/chat/completions");
        var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = JsonContent.Create(
                new
                {
                    model = settings.Name,
                    stream = true,
                    max_tokens = settings.MaxTokens,
                    messages = turns.Where(turn => turn.Text.Length > 0).Select(turn => new { role = turn.Role, content = turn.Text }),
                }
            ),
        };
        if (settings.Key.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Key);
        return request;
    }

    private static string? TokenOf(string data)
    {
        using var chunk = JsonDocument.Parse(data);
        return
            chunk.RootElement.TryGetProperty("choices", out var choices)
            && choices.GetArrayLength() > 0
            && choices[0].TryGetProperty("delta", out var delta)
            && delta.TryGetProperty("content", out var content)
            ? content.GetString()
            : null;
    }
}

/// <summary>An answer that the model did not finish. The message is shown to the user.</summary>
public sealed class ModelException(string message, Exception? innerException = null) : Exception(message, innerException);
