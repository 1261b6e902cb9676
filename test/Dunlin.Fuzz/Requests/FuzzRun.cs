using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Requests;

/// <summary>Sends requests and checks each answer and the log. Not thread-safe.</summary>
internal sealed class FuzzRun(FuzzHost target, FuzzMaker maker, IReadOnlyDictionary<string, List<string>> tokens) : IDisposable
{
    // Long, because the machine may be busy. A request that hangs never ends.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    private const int MaxRead = 64 * 1024;

    // Differs in each request, so it is removed before equal faults are merged.
    private static readonly Regex TraceId = new(
        "00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]",
        RegexOptions.CultureInvariant,
        TimeSpan.FromSeconds(1)
    );

    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            ResponseDrainTimeout = TimeSpan.Zero,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        }
    )
    {
        Timeout = AnswerLimit,
    };

    /// <summary>Gets the number of answers per status. A run in which everything is refused proves little.</summary>
    public SortedDictionary<int, int> Statuses { get; } = [];

    /// <summary>Sends the request of a number.</summary>
    /// <exception cref="FindingException">The answer or the log breaks a rule.</exception>
    public Task SendAsync(int number) => SendAsync(_client, maker.Next(number, target.Endpoints[number % target.Endpoints.Count]));

    public void Dispose() => _client.Dispose();

    private async Task SendAsync(HttpClient client, FuzzRequest request)
    {
        HttpResponseMessage response;
        try
        {
            using var message = request.ToMessage(target.Address);
            response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
        }
        catch (OperationCanceledException)
        {
            Fail(request, "no answer", $"no answer within {AnswerLimit.TotalSeconds} s");
            return;
        }
        catch (HttpRequestException exception)
        {
            // A body that is refused early may cost the connection. A truncated answer is a fault.
            if (exception.HttpRequestError is not (HttpRequestError.Unknown or HttpRequestError.ConnectionError) || request.Body is null)
                Fail(request, "cut off", exception.ToString());
            return;
        }
        catch (FormatException)
        {
            return; // .NET cannot send such a header
        }
        using (response)
            await JudgeAsync(request, response);
    }

    private async Task JudgeAsync(FuzzRequest request, HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var text = isStream ? "" : await ReadAsync(request, response);
        if (status == 401 && request.User is not null)
            tokens[request.User].Remove(request.Headers.Find(header => header.Name == "Authorization").Value["Bearer ".Length..]);
        var isNewerPage = IsNewerPage(request, status, text);
        if (status >= 500 && !isNewerPage && !(status == 503 && target.Lacks(request.PathAndQuery)))
            Fail(request, $"status {status}", text);
        if (
            text.Contains("\n   at ", StringComparison.Ordinal)
            || text.Contains("\\n   at ", StringComparison.Ordinal)
            || text.Contains("Exception:", StringComparison.Ordinal)
        )
            Fail(request, "stack trace in the answer", text);
        var isUnbuilt = status == 503 && target.Lacks(request.PathAndQuery);
        if (status >= 400 && !isUnbuilt && IsApi(request) && request.Method != "HEAD" && !IsKestrels(response, text))
            JudgeProblem(request, response, text);
        foreach (var entry in target.TakeFaults().Where(entry => !isNewerPage || !entry.Contains("draining", StringComparison.Ordinal)))
            Fail(request, $"log {TraceId.Replace(entry.Split('\n')[0], "")}", entry);
        if (!isStream)
            maker.Learn(request.Endpoint, status, text);
    }

    private void JudgeProblem(FuzzRequest request, HttpResponseMessage response, string text)
    {
        try
        {
            using var problem = JsonDocument.Parse(text);
            if (
                response.Content.Headers.ContentType?.MediaType == "application/problem+json"
                && problem.RootElement.GetProperty("code").GetString() is { Length: > 0 }
                && problem.RootElement.GetProperty("hint").GetString() is { Length: > 0 }
            )
                return;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Reported below.
        }
        Fail(request, "no problem document", $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {text}");
    }

    private async Task<string> ReadAsync(FuzzRequest request, HttpResponseMessage response)
    {
        using var limit = new CancellationTokenSource(AnswerLimit);
        try
        {
            var bytes = await response.Content.ReadAsByteArrayAsync(limit.Token);
            return Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, MaxRead)));
        }
        catch (OperationCanceledException)
        {
            Fail(request, "no end", $"the answer did not end within {AnswerLimit.TotalSeconds} s");
        }
        catch (HttpRequestException exception)
        {
            Fail(request, "cut off", exception.ToString());
        }
        return "";
    }

    private void Fail(FuzzRequest request, string kind, string what) =>
        throw new FindingException(
            $"{request.Endpoint} {kind}",
            $"{request.ToCurl(target.Address)}\n{(what.Length > 2_000 ? what[..2_000] : what)}"
        );

    private static bool IsApi(FuzzRequest request) =>
        request.PathAndQuery.StartsWith("/api/", StringComparison.Ordinal)
        || request.PathAndQuery.StartsWith("/dunlin/", StringComparison.Ordinal);

    // Refusals of the web server before Dunlin's code runs, such as an invalid header, have an empty body.
    private static bool IsKestrels(HttpResponseMessage response, string text) =>
        text.Length == 0 && (int)response.StatusCode is 400 or 414 or 431 && response.Headers.ConnectionClose == true;

    // A page with a newer schema than the server gets 503 by design: docs/reference/http.md.
    private static bool IsNewerPage(FuzzRequest request, int status, string text) =>
        status == 503
        && request.PathAndQuery.Contains("schema=", StringComparison.Ordinal)
        && text.Contains("newer server", StringComparison.Ordinal);
}
