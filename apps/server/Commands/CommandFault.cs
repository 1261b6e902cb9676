using System.Text.Json;

namespace Dunlin.Server.Commands;

/// <summary>An error that ends a command: printed as one sentence, without a stack trace.</summary>
internal sealed class CommandFault(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode => exitCode;

    /// <summary>Gets the stable error code of the server; null if the error is not of the server.</summary>
    public string? Code { get; private init; }

    /// <summary>Gets what to do about the error; null if the message contains it.</summary>
    public string? Hint { get; private init; }

    public static CommandFault Usage(string message) => new(ExitCodes.Usage, message);

    public static CommandFault Failed(string message, string? hint = null) => new(ExitCodes.Failed, message) { Hint = hint };

    public static CommandFault Unreachable(Uri server, string reason, Exception? cause = null) =>
        new(
            ExitCodes.Unreachable,
            $"No server answers at {server.GetLeftPart(UriPartial.Authority)}: {reason.TrimEnd('.')}. "
                + "Start it with 'dunlin serve', or name another one with --server or DUNLIN_SERVER.",
            cause
        );

    /// <summary>Returns the error of a problem document.</summary>
    public static CommandFault Refused(string code, string detail, string? hint, Exception? cause = null) =>
        new(ExitCodes.Failed, detail, cause) { Code = code, Hint = hint };

    /// <summary>Reads the problem document of an answer. A text that is none, such as a page of a proxy, is left out.</summary>
    public static CommandFault OfAnswer(int status, string? body)
    {
        try
        {
            if (body is not null)
            {
                using var problem = JsonDocument.Parse(body);
                if (Text(problem.RootElement, "code") is { } code)
                {
                    var detail = Text(problem.RootElement, "detail") ?? Text(problem.RootElement, "title") ?? "The request was refused.";
                    return new CommandFault(ExitCodes.Failed, detail) { Code = code, Hint = Text(problem.RootElement, "hint") };
                }
            }
        }
        catch (JsonException)
        {
            // Answered below.
        }
        return Failed($"The address answered {status} without a problem document. Is it a Dunlin server, or a proxy in front of one?");
    }

    private static string? Text(JsonElement problem, string name) =>
        problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
