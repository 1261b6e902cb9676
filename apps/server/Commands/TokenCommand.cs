using System.CommandLine;
using Dunlin.Security;
using Dunlin.Topics;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin token</c>: issues a token with the server's key, for trials and for back ends with a fixed token.</summary>
internal static class TokenCommand
{
    private static readonly Option<string> Subject = new("--subject")
    {
        Description = "The user (sub), or a name for the back end",
        Required = true,
        HelpName = "id",
    };
    private static readonly Option<string[]> Subscribe = Patterns("--subscribe", "Topics that may be read");
    private static readonly Option<string[]> Publish = Patterns("--publish", "Topics that may be published to");
    private static readonly Option<string[]> Hold = Patterns("--hold", "Resources whose leases may be held");
    private static readonly Option<string[]> Preempt = Patterns("--take", "Resources whose leases may be preempted");
    private static readonly Option<string[]> Role = new("--role")
    {
        Description = "A role; 'admin' sees totals and revokes",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "name",
    };
    private static readonly Option<string?> Name = new("--name")
    {
        Description = "The name shown to others (default: the subject)",
        HelpName = "text",
    };
    private static readonly Option<string?> Session = new("--session") { Description = "The session (sid)", HelpName = "id" };
    private static readonly Option<int> Minutes = new("--minutes")
    {
        Description = "Lifetime of the token in minutes",
        DefaultValueFactory = _ => 60,
        HelpName = "n",
    };

    public static Command Create() =>
        new Command("token", "Make a token with the server's key. Patterns: 'teams/7/*' is one segment more, 'teams/7/**' one or more.")
            .With(Subject, Subscribe, Publish, Hold, Preempt, Role, Name, Session, Minutes)
            .Runs(RunAsync);

    private static async Task RunAsync(CommandRun run)
    {
        // Scripts read the token from standard output: write nothing else there.
        await using var app = CommandLine.Build(run.Given, services => services.AddLogging(logging => logging.ClearProviders()));
        RequireReadableKey(app.Services);
        app.Services.GetRequiredService<ServerSettings>().MakeFolder();
        var token = app.Services.GetRequiredService<AccessTokens>().Issue(Request(run.Given));
        if (run.Output.IsJson)
            run.Output.JsonObject(json =>
            {
                json.WriteString("token", token);
                json.WriteNumber("expiresIn", run.Get(Minutes) * 60);
            });
        else
            run.Output.Line(token);
    }

    private static AccessTokenRequest Request(ParseResult given) =>
        new(given.GetValue(Subject)!)
        {
            Name = given.GetValue(Name),
            Roles = given.GetValue(Role) ?? [],
            SessionId = given.GetValue(Session),
            Lifetime = TimeSpan.FromMinutes(given.GetValue(Minutes)),
            Grants = new Grants
            {
                Subscribe = Read(given.GetValue(Subscribe)),
                Publish = Read(given.GetValue(Publish)),
                Hold = Read(given.GetValue(Hold)),
                Preempt = Read(given.GetValue(Preempt)),
            },
        };

    // A key in the database cannot be read without opening the store. Only the server reads it.
    public static void RequireReadableKey(IServiceProvider services)
    {
        if (
            services.GetRequiredService<ServerSettings>().Store is not null
            && services.GetRequiredService<Microsoft.Extensions.Options.IOptions<AccessTokenOptions>>().Value.SigningKey is null
        )
            throw new InvalidOperationException(
                "With --store, the signing key is in the database. Set Dunlin__Tokens__SigningKey to make tokens with this command."
            );
    }

    private static List<TopicPattern> Read(string[]? patterns) => [.. (patterns ?? []).Select(TopicPattern.Parse)];

    private static Option<string[]> Patterns(string name, string description) =>
        new(name)
        {
            Description = description,
            AllowMultipleArgumentsPerToken = true,
            HelpName = "pattern",
        };
}
