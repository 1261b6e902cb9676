using Dapper;
using Dunlin.Diagnostics;
using Dunlin.Identity;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;

var builder = WebApplication.CreateBuilder(args);
builder
    .Services.AddDunlin()
    .AddSqlite("data/chat.db")
    .AddSchema("chat", typeof(Message).Assembly, "TeamChat.Schema.")
    .AddAccounts()
    .AddAccessPolicy<TeamAccess>("teams");
builder.Services.AddHostedService<DemoUsers>();

var app = builder.Build();
app.UseDunlinSecurity();
app.MapDunlin(); // streams, leases, presence: /dunlin/v1
app.MapDunlinAccounts(); // signing in: /api/v1/auth

app.MapPost(
    "/api/teams/{team}/messages",
    async (HttpContext http, string team, Message message, IStore store) =>
    {
        var (caller, topic) = (http.RequireCaller(), TopicName.Of("teams", team));
        if (!TeamAccess.IsMember(caller, topic.Value))
            throw new DunlinException(ErrorCode.Forbidden);
        // One transaction: there is never a message without its announcement, nor an announcement without its message.
        var position = await store.WriteAsync(
            async (unit, cancellationToken) =>
            {
                const string sql = "INSERT INTO message (team, author, text) VALUES (@team, @UserId, @Text)";
                await unit.Connection.ExecuteAsync(
                    sql,
                    new
                    {
                        team,
                        caller.UserId,
                        message.Text,
                    },
                    unit.Transaction
                );
                var said = EventDraft.Of(topic, "message.sent", new { author = caller.Name, message.Text }, caller.AsOrigin());
                return await unit.AppendAsync(said, cancellationToken);
            }
        );
        return new { position = position.ToString() };
    }
);

app.Run();

sealed record Message(string Text);

/// <summary>Who may read and edit what below "teams" is yours to say: here a role names the team.</summary>
sealed class TeamAccess : IAccessPolicy
{
    public static bool IsMember(Caller caller, string name) => caller.Roles.Any(team => NamePrefix.Covers(team, name));

    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(IsMember(caller, topic.Value));

    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(IsMember(caller, resource.Value));
}

/// <summary>Somebody to sign in with.</summary>
sealed class DemoUsers(IAccounts accounts) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "ann", "bob" })
        {
            if (await accounts.FindByNameAsync(name, cancellationToken) is null)
                await accounts.CreateAsync(new NewAccount(name, "correct horse", name, ["teams/7"]) { UserId = name }, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
