using System.CommandLine;
using System.Net.Sockets;
using Dunlin.Security;
using Dunlin.Server.Commands.Remote;
using Dunlin.Server.Doctor;
using Microsoft.Extensions.Options;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin doctor</c>: examines a running server from the outside.</summary>
internal static class DoctorCommand
{
    private static readonly Argument<string?> Url = new("url")
    {
        Description = "Address of the server, through the proxy that clients use",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private static readonly Option<string?> Origin = new("--origin")
    {
        Description = "The origin of a page that calls the server, such as https://app.example.com",
        HelpName = "origin",
    };
    private static readonly Option<string?> Topic = new("--topic")
    {
        Description = "A topic that the token must be able to read (default: the user's own)",
        HelpName = "name",
    };
    private static readonly Option<int> Patience = new("--patience")
    {
        Description = "Seconds to wait for an answer or the first bytes of a stream",
        DefaultValueFactory = _ => 5,
        HelpName = "seconds",
    };

    static DoctorCommand() => Patience.RequireRange(1, 600);

    public static Command Create() =>
        new Command("doctor", "Examine a running server: proxies, TLS, clocks, limits, CORS and a token. Exits with 1 if a check fails.")
            .With(Url, RemoteServer.Server, RemoteServer.Token, Origin, Topic, Patience)
            .Runs(RunAsync);

    private static async Task<int> RunAsync(CommandRun run)
    {
        var server = RemoteServer.AddressOf(run, run.Given.GetValue(Url));
        var token = RemoteServer.TokenOf(run, server)();
        using var examination = new Examination(server, token, TimeSpan.FromSeconds(run.Get(Patience)));
        var findings = new List<Finding>();
        await using var local = RemoteServer.IsLocal(server) ? TryBuild(run) : null;
        var options = new DiagnosisOptions(
            run.Get(Origin),
            run.Get(Topic),
            local?.Services.GetRequiredService<ServerSettings>().Data,
            local is null || !HasKey(local) ? null : local.Services.GetRequiredService<AccessTokens>().WhyRefusedAsync
        );
        var isReachable = false;
        try
        {
            isReachable = await Diagnosis.RunAsync(examination, options, Report, run.CancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or TimeoutException or IOException)
        {
            Report(
                Finding.Fail(
                    "reachable",
                    $"The server stopped answering: {ServerChecks.Innermost(exception)}",
                    "Repeat the command, and read the log of the server."
                )
            );
        }
        if (run.Output.IsJson)
            WriteJson(run.Output, server, findings);
        return !isReachable ? ExitCodes.Unreachable
            : findings.Exists(finding => finding.Level == FindingLevel.Fail) ? ExitCodes.Failed
            : ExitCodes.Ok;

        void Report(Finding finding)
        {
            findings.Add(finding);
            if (!run.Output.IsJson)
                Write(run.Output, finding);
        }
    }

    private static void Write(CommandOutput output, Finding finding)
    {
        var (word, ink) = finding.Level switch
        {
            FindingLevel.Ok => ("ok  ", Ink.Green),
            FindingLevel.Warn => ("warn", Ink.Yellow),
            _ => ("fail", Ink.Red),
        };
        output.Line($"{output.Paint(word, ink)}  {finding.Check, -12}  {finding.Text}");
        if (finding.Remedy is not null)
            output.Line(output.Paint($"{"", 20}{finding.Remedy}", Ink.Dim));
        output.Flush();
    }

    private static void WriteJson(CommandOutput output, Uri server, List<Finding> findings) =>
        output.JsonObject(json =>
        {
            json.WriteString("server", server.ToString());
            json.WriteStartArray("findings");
            foreach (var finding in findings)
            {
                json.WriteStartObject();
                json.WriteString("check", finding.Check);
                json.WriteString(
                    "level",
                    finding.Level switch
                    {
                        FindingLevel.Ok => "ok",
                        FindingLevel.Warn => "warn",
                        _ => "fail",
                    }
                );
                json.WriteString("text", finding.Text);
                if (finding.Remedy is not null)
                    json.WriteString("remedy", finding.Remedy);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });

    private static WebApplication? TryBuild(CommandRun run)
    {
        try
        {
            return CommandLine.BuildSilently(run.Given);
        }
        catch (Exception exception) when (Apps.Common.ProgramRun.Reason(exception) is not null)
        {
            return null; // local settings are only used to explain a refused token
        }
    }

    private static bool HasKey(WebApplication local)
    {
        var tokens = local.Services.GetRequiredService<IOptions<AccessTokenOptions>>().Value;
        return tokens.SigningKey is not null
            || (local.Services.GetRequiredService<ServerSettings>().Store is null && File.Exists(tokens.SigningKeyFile));
    }
}
