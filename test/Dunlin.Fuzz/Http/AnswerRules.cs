using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Fuzz.Engine;

namespace Dunlin.Fuzz.Http;

/// <summary>What holds for every response and for the log.</summary>
internal static class AnswerRules
{
    private static readonly Regex Varying = new("[0-9a-f]{8,}|[0-9]+", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    /// <summary>Sends bytes over one connection of the program, and checks each response.</summary>
    /// <param name="host">The program.</param>
    /// <param name="input">The input of the target, for the report.</param>
    /// <param name="bytes">The bytes to send.</param>
    /// <param name="sizes">As for <see cref="RawExchange.SendAsync"/>.</param>
    /// <returns>The responses.</returns>
    /// <exception cref="FindingException">A response breaks a rule, or the connection stays open.</exception>
    public static async Task<List<RawAnswer>> ExchangeAsync(FuzzHost host, byte[] input, byte[] bytes, Func<int> sizes)
    {
        byte[] received;
        try
        {
            received = await RawExchange.SendAsync(host.Address, bytes, sizes);
        }
        catch (OperationCanceledException)
        {
            throw new FindingException("the server keeps a connection open that the client has ended", Encoding.Latin1.GetString(input));
        }
        List<RawAnswer> answers;
        try
        {
            answers = RawAnswer.ReadAll(received);
        }
        catch (FormatException exception)
        {
            throw new FindingException("no HTTP response", exception.Message);
        }
        foreach (var answer in answers)
            Check(host, answer);
        return answers;
    }

    /// <exception cref="FindingException">A response breaks a rule.</exception>
    private static void Check(FuzzHost host, RawAnswer answer)
    {
        var text = answer.IsStream ? "" : answer.Text;
        // 505: the version of HTTP. 503 with a newer schema: docs/reference/http.md.
        var isDeclared =
            answer.Status == 505
            || (answer is { Status: 503, Request: { } read } && host.Lacks(read[(read.IndexOf(' ', StringComparison.Ordinal) + 1)..]))
            || (answer.Status == 503 && text.Contains("newer server", StringComparison.Ordinal));
        FindingException.Require(answer.Status < 500 || isDeclared, $"status {answer.Status}", $"{answer.Request} {text}");
        FindingException.Require(
            !text.Contains("\n   at ", StringComparison.Ordinal)
                && !text.Contains("\\n   at ", StringComparison.Ordinal)
                && !text.Contains("Exception:", StringComparison.Ordinal),
            "stack trace in the answer",
            text
        );
        if (answer is { Status: >= 400, Request: { } request, IsComplete: true } && IsApi(request))
            FindingException.Require(IsProblem(answer), "no problem document", $"{request} {answer.Status} {text}");
    }

    /// <exception cref="FindingException">The log has an error or a stack trace.</exception>
    /// <param name="host">The program.</param>
    /// <param name="before">The input before this one: the web server logs after it has closed the connection.</param>
    public static void CheckLog(FuzzHost host, byte[] before)
    {
        if (host.TakeFaults() is [var first, ..])
            throw new FindingException(
                $"log {Varying.Replace(first.Split('\n')[0], "N")}",
                $"{first}\nthe input before, in base64: {Convert.ToBase64String(before)}"
            );
    }

    private static bool IsApi(string request) =>
        !request.StartsWith("HEAD ", StringComparison.Ordinal)
        // Dot segments may lead out of the paths of the engine.
        && !request.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase).Contains("..", StringComparison.Ordinal)
        && Regex.IsMatch(
            request,
            "^[A-Z]+ /(api|dunlin)/",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
            TimeSpan.FromSeconds(1)
        );

    private static bool IsProblem(RawAnswer answer)
    {
        try
        {
            using var problem = JsonDocument.Parse(answer.Body);
            return answer.Headers.GetValueOrDefault("content-type") == "application/problem+json"
                && problem.RootElement.GetProperty("code").GetString() is { Length: > 0 }
                && problem.RootElement.GetProperty("hint").GetString() is { Length: > 0 };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }
}
