using System.CommandLine;
using System.Globalization;
using Dunlin.Client;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin revoke</c>: revokes the tokens of a user and ends the streams that they opened.</summary>
internal static class RevokeCommand
{
    private static readonly Argument<string> User = new("user") { Description = "The user id" };
    private static readonly Option<string?> Session = new("--session") { Description = "Revoke this session only", HelpName = "id" };
    private static readonly Option<DateTimeOffset?> Before = new("--before")
    {
        Description = "Revoke what was issued up to this time, such as 2026-03-01T09:30:00Z (default: now)",
        HelpName = "time",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                return time;
            result.AddError($"--before '{text}' is no time, such as 2026-03-01T09:30:00Z.");
            return null;
        },
    };
    private static readonly Option<bool> Renew = new("--renew")
    {
        Description = "The user stays signed in: pages fetch a new token with the present rights",
    };
    private static readonly Option<string?> Reason = new("--reason") { Description = "The reason, for the log", HelpName = "text" };

    public static Command Create() =>
        new Command("revoke", "Revoke the tokens of a user and end their streams. Needs the role 'admin'.")
            .With(User, Session, Before, Renew, Reason)
            .Calls(RunAsync);

    private static async Task RunAsync(CommandRun run, DunlinClient client)
    {
        var revoked = await client.RevokeAsync(
            new UserRevocation(run.Need(User))
            {
                SessionId = run.Get(Session),
                Before = run.Get(Before),
                Renew = run.Get(Renew) ? true : null,
                Reason = run.Get(Reason),
            },
            run.CancellationToken
        );
        if (run.Output.IsJson)
            run.Output.JsonObject(json =>
            {
                json.WriteString("userId", revoked.UserId);
                json.WriteString("sessionId", revoked.SessionId);
                json.WriteString("before", revoked.Before);
            });
        else
            run.Output.Line(
                string.Create(CultureInfo.InvariantCulture, $"Revoked all that was issued to '{revoked.UserId}' up to {revoked.Before:u}.")
            );
    }
}
