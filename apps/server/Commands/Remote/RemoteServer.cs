using System.CommandLine;
using System.Net;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Server.Commands.Remote;

/// <summary>The server that a command calls, and the token for it.</summary>
internal static class RemoteServer
{
    private const string Default = "http://127.0.0.1:5090";
    private static readonly TimeSpan LocalLifetime = TimeSpan.FromMinutes(10);

    public static readonly Option<string?> Server = new("--server")
    {
        Description = $"Address of the server (default {Default}; DUNLIN_SERVER)",
        HelpName = "url",
    };

    public static readonly Option<string?> Token = new("--token")
    {
        Description = "The token to call with (default: DUNLIN_TOKEN, or one made with the signing key of --data)",
        HelpName = "text",
    };

    /// <summary>Returns the address, with a slash at its end.</summary>
    /// <param name="given">An address that wins over the options; null for none.</param>
    /// <param name="run">The run.</param>
    public static Uri AddressOf(CommandRun run, string? given = null)
    {
        var set = Environment.GetEnvironmentVariable("DUNLIN_SERVER");
        var text = given ?? run.Get(Server) ?? (string.IsNullOrEmpty(set) ? Default : set);
        return Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw CommandFault.Usage($"'{text}' is no http or https address, such as {Default}.");
    }

    /// <summary>Returns the source of the token: the option, the environment, or the signing key of this machine.</summary>
    /// <remarks>The key is used for a server on this machine only, so that no other server receives a token of it.</remarks>
    public static Func<string?> TokenOf(CommandRun run, Uri server)
    {
        if (run.Get(Token) is { } given)
            return () => given;
        if (Environment.GetEnvironmentVariable("DUNLIN_TOKEN") is { Length: > 0 } set)
            return () => set;
        if (!IsLocal(server) || LocalKey(run.Given) is not { } issue)
            return () => null;
        run.Output.Note("No token was given: using one made with the local signing key, with all rights.");
        return issue;
    }

    public static bool IsLocal(Uri server) =>
        server.IsLoopback || (IPAddress.TryParse(server.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));

    private static Func<string?>? LocalKey(ParseResult given)
    {
        try
        {
            // Not disposed: it was not started, and the key is needed until the command ends.
            var app = CommandLine.BuildSilently(given);
            var settings = app.Services.GetRequiredService<ServerSettings>();
            var options = app.Services.GetRequiredService<IOptions<AccessTokenOptions>>().Value;
            if (options.SigningKey is null && (settings.Store is not null || !File.Exists(options.SigningKeyFile)))
                return null;
            var tokens = app.Services.GetRequiredService<AccessTokens>();
            IReadOnlyList<TopicPattern> all = [TopicPattern.Parse("**")];
            var request = new AccessTokenRequest("dunlin-cli")
            {
                Roles = ["admin"],
                Lifetime = LocalLifetime,
                Grants = new Grants
                {
                    Subscribe = all,
                    Publish = all,
                    Hold = all,
                    Preempt = all,
                },
            };
            return () => tokens.Issue(request);
        }
        catch (Exception exception) when (Apps.Common.ProgramRun.Reason(exception) is not null)
        {
            // The settings of a server on this machine do not concern a command that calls one.
            return null;
        }
    }
}
