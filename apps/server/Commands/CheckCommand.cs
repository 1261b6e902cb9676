using System.CommandLine;
using Dunlin.Apps.Common;
using Dunlin.Security;
using Microsoft.Extensions.Options;

namespace Dunlin.Server;

/// <summary>
/// <c>dunlin check</c>: validates the whole configuration without opening the store or a port. With <c>--token</c> it also prints why a
/// token is refused, which the server never tells a client.
/// </summary>
internal static class CheckCommand
{
    private static readonly Option<string?> Token = new("--token") { Description = "A token to validate", HelpName = "text" };

    public static Command Create()
    {
        var command = new Command("check", "Check the configuration, and with --token a token, without starting the server.");
        command.Options.Add(Token);
        command.SetAction(
            (given, cancellationToken) =>
                ProgramRun.GuardedAsync(async () =>
                {
                    await using var app = CommandLine.Build(given);
                    ProgramRun.Validate(app);
                    var (settings, tokens) = (
                        app.Services.GetRequiredService<ServerSettings>(),
                        app.Services.GetRequiredService<IOptions<AccessTokenOptions>>().Value
                    );
                    Console.WriteLine($"The configuration can be used: http://{settings.Address}:{settings.Port}");
                    foreach (
                        var line in Announcement.Describe(
                            settings,
                            tokens,
                            app.Services.GetRequiredService<IOptions<OriginOptions>>().Value
                        )
                    )
                        Console.WriteLine(line);
                    if (given.GetValue(Token) is not { } token)
                        return;
                    TokenCommand.RequireReadableKey(app.Services);
                    if (await app.Services.GetRequiredService<AccessTokens>().WhyRefusedAsync(token, cancellationToken) is { } reason)
                        throw new InvalidOperationException($"the token is refused: {reason}");
                    Console.WriteLine("  token    would be taken (unless it has been revoked)");
                })
        );
        return command;
    }
}
