using Dunlin.Hooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/guides/incoming-hooks.md, compiled. The test holds the two against each other.</summary>
internal static class HooksSnippet
{
    public static void Run(WebApplicationBuilder builder)
    {
        // <hooks>
        builder
            .Services.AddDunlin()
            .AddSqlite("data/dunlin.db")
            .AddHooks(hooks =>
                hooks.Sources.Add(
                    new HookSource
                    {
                        Name = "payments",
                        Scheme = HookScheme.Stripe,
                        SecretFiles = { "stripe.secret" },
                        Topic = "payments/{body.data.object.customer}",
                        Type = "payment.{event}",
                    }
                )
            );

        var app = builder.Build();
        app.MapDunlin();
        app.MapDunlinHooks();
        // </hooks>
    }
}
