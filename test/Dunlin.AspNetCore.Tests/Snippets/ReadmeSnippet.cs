using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The server of the README's first screen, compiled. The test holds the two against each other.</summary>
internal static class ReadmeSnippet
{
    public static void Run(string[] args)
    {
        // <readme>
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddAccounts().AddAccessPolicy<TeamAccess>("teams");
        var app = builder.Build();
        app.UseDunlinSecurity();
        app.MapDunlin();
        app.MapDunlinAccounts();
        app.Run();
        // </readme>
    }

    private sealed class TeamAccess : IAccessPolicy;
}
