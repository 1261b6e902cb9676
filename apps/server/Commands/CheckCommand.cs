using System.CommandLine;
using Dunlin.Apps.Common;
using Dunlin.Security;
using Microsoft.Extensions.Options;

namespace Dunlin.Server.Commands;

/// <summary>
/// <c>dunlin check</c>: validates the whole configuration without opening the store or a port. With <c>--token</c> it also prints why a
/// token is refused, which the server never tells a client.
/// </summary>
internal static class CheckCommand
{
    private static readonly Option<string?> Token = new("--token") { Description = "A token to validate", HelpName = "text" };

    public static Command Create() =>
        new Command("check", "Check the configuration, and with --token a token, without starting the server.").With(Token).Runs(RunAsync);

    private static async Task RunAsync(CommandRun run)
    {
        await using var app = CommandLine.Build(run.Given);
        ProgramRun.Validate(app);
        var (settings, tokens) = (
            app.Services.GetRequiredService<ServerSettings>(),
            app.Services.GetRequiredService<IOptions<AccessTokenOptions>>().Value
        );
        var address = $"http://{settings.Address}:{settings.Port}";
        var lines = Announcement.Describe(settings, tokens, app.Services.GetRequiredService<IOptions<OriginOptions>>().Value).ToList();
        if (Announcement.DescribeMercure(app.Services) is { } mercure)
            lines.Add(mercure);
        if (Announcement.DescribeStreams(app.Services) is { } streams)
            lines.Add(streams);
        if (Announcement.DescribeYjs(app.Services) is { } yjs)
            lines.Add(yjs);
        if (!run.Output.IsJson)
        {
            run.Output.Line($"The configuration can be used: {address}");
            foreach (var line in lines)
                run.Output.Line(line);
        }
        var token = run.Get(Token);
        if (token is not null)
        {
            TokenCommand.RequireReadableKey(app.Services);
            if (await app.Services.GetRequiredService<AccessTokens>().WhyRefusedAsync(token, run.CancellationToken) is { } reason)
                throw CommandFault.Failed($"the token is refused: {reason}");
        }
        if (run.Output.IsJson)
            run.Output.JsonObject(json =>
            {
                json.WriteString("address", address);
                json.WriteString("data", settings.Data);
                json.WriteString("store", settings.Store is null ? "sqlite" : "postgres");
                json.WriteString("issuer", tokens.Issuer);
                json.WriteString("audience", tokens.Audience);
                if (token is not null)
                    json.WriteString("token", "accepted");
            });
        else if (token is not null)
            run.Output.Line("  token    would be taken (unless it has been revoked)");
    }
}
