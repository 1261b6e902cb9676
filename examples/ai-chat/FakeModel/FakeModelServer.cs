using System.Text.Json;

namespace FakeModel;

/// <summary>
/// A model that does not think: the part of the OpenAI chat completions API that streams an answer. Requests to <c>/pace</c> decide when it
/// sends its tokens, so that a test waits for no time.
/// </summary>
public static class FakeModelServer
{
    /// <summary>Builds the server.</summary>
    /// <param name="url">The address; port 0 selects a free one.</param>
    /// <param name="isPaced">Whether tokens wait for <c>POST /pace</c>. False: 25 tokens a second.</param>
    public static WebApplication Build(string url, bool isPaced)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(new Pace(isPaced));
        var app = builder.Build();
        app.Urls.Add(url);
        app.MapPost("/v1/chat/completions", AnswerAsync);
        app.MapPost("/pace", (Pace pace, int tokens) => pace.Grant(tokens));
        app.MapPost("/pace/all", (Pace pace) => pace.GrantAll());
        app.MapPost("/refuse", (Pace pace, int status) => pace.RefuseNext(status));
        app.MapPost("/cut", (Pace pace) => pace.Cut());
        // Answers when this number of requests is open.
        app.MapGet("/open", (Pace pace, int count, HttpContext http) => pace.WhenOpenAsync(count, http.RequestAborted));
        return app;
    }

    private static async Task AnswerAsync(HttpContext http, Completion completion, Pace pace)
    {
        if (pace.TakeRefusal() is > 0 and var status)
        {
            await RefuseAsync(http, status, "A request to /refuse asked for this answer.");
            return;
        }
        if (completion.Messages is [] or [{ Role: "assistant" }])
        {
            await RefuseAsync(http, StatusCodes.Status400BadRequest, "'messages' has no question.");
            return;
        }
        // An answer at the end is a part of the answer to the question before it: continue it.
        var last = completion.Messages[^1];
        var isPart = last.Role == "assistant";
        var answer = FakeText.AnswerTo(isPart ? completion.Messages[^2].Content : last.Content);
        var rest = isPart && answer.StartsWith(last.Content, StringComparison.Ordinal) ? answer[last.Content.Length..] : answer;

        using var request = pace.Begin();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, request.Cut);
        http.Response.ContentType = "text/event-stream";
        try
        {
            await http.Response.Body.FlushAsync(ended.Token);
            foreach (var token in FakeText.TokensOf(rest))
            {
                await pace.NextAsync(ended.Token);
                var chunk = new { choices = new[] { new { index = 0, delta = new { content = token } } } };
                await SendAsync(http, JsonSerializer.Serialize(chunk, JsonSerializerOptions.Web), ended.Token);
            }
            await SendAsync(http, "[DONE]", ended.Token);
        }
        catch (OperationCanceledException)
        {
            http.Abort();
        }
    }

    private static Task RefuseAsync(HttpContext http, int status, string message)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(new { error = new { message } });
    }

    private static async Task SendAsync(HttpContext http, string data, CancellationToken cancellationToken)
    {
        await http.Response.WriteAsync($"data: {data}\n\n", cancellationToken);
        await http.Response.Body.FlushAsync(cancellationToken);
    }
}

/// <param name="Messages">The conversation; the last one is the question, or the part of an answer to continue.</param>
internal sealed record Completion(IReadOnlyList<CompletionTurn> Messages);

internal sealed record CompletionTurn(string Role, string Content);
