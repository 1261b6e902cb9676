using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests.Snippets;

/// <summary>The code of docs/operations/inspector.md, compiled.</summary>
internal static class InspectorSnippet
{
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        // <inspector>
        builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddTokens().AddInspector();
        var app = builder.Build();
        app.MapDunlin();
        app.MapDunlinInspector();
        // </inspector>
        return app;
    }
}
