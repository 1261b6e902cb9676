using System.CommandLine;

namespace Dunlin.Server.Commands.Webhooks;

/// <summary>The argument that names a webhook.</summary>
internal static class WebhookIds
{
    private const int MaxLength = 60;

    public static Argument<string> Argument()
    {
        var id = new Argument<string>("id") { Description = "The id of the webhook" };
        id.Validators.Add(result =>
        {
            // The id is a segment of the path: '..' would address another resource.
            if (result.Tokens is [var token, ..] && !IsValid(token.Value))
                result.AddError($"'{token.Value}' is no id of a webhook: 1 to {MaxLength} letters, digits and the characters - and _.");
        });
        return id;
    }

    private static bool IsValid(string id) =>
        id.Length is > 0 and <= MaxLength && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
