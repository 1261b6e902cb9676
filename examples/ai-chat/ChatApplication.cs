using System.Security.Claims;
using System.Text.RegularExpressions;
using AiChat.Answers;
using AiChat.Chats;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace AiChat;

/// <summary>The application: its services, its endpoints and its access policy.</summary>
public static partial class ChatApplication
{
    private const string ModelAddress = "Model:Address";

    /// <summary>Builds the application. Tests pass a clock, a log and an address in <paramref name="configure"/>.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
        builder.Services.AddOptions<ModelOptions>().BindConfiguration("Model").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<ChatModel>();

        // <ai-services>
        builder
            .Services.AddDunlin()
            .AddSqlite(Path.Combine(builder.Environment.ContentRootPath, "data", "chat.db"))
            .AddSchema("chat", typeof(Turn).Assembly, "AiChat.Schema.")
            .AddAccessPolicy<ChatAccess>("chats")
            .AddJobHandler<AnswerHandler, AnswerJob>(
                AnswerJob.Type,
                options =>
                {
                    options.MaxParallel = 64;
                    options.MaxParallelPerFairnessKey = 4; // answers that one user gets at once
                    options.RunLimit = TimeSpan.FromMinutes(10);
                }
            );

        // </ai-services>
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseDunlinSecurity();
        app.UseDefaultFiles();
        app.UseStaticFiles();
        app.MapDunlin();
        app.MapChats();
        app.MapAnswers();
        app.MapGet("/api/me", (HttpContext http) => new { http.RequireCaller().UserId });

        // For this example only. Your application signs users in; Dunlin reads the claims "sub" and "name" of HttpContext.User.
        app.MapGet(
            "/sign-in/{name}",
            async (HttpContext http, string name) =>
            {
                if (!UserName().IsMatch(name))
                    return Results.BadRequest();
                var identity = new ClaimsIdentity([new Claim("sub", name), new Claim("name", name)], "example");
                await http.SignInAsync(new ClaimsPrincipal(identity));
                return Results.Redirect("/");
            }
        );
        return app;
    }

    /// <summary>Returns whether the configuration names the address of a model.</summary>
    public static bool HasModel(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[ModelAddress]);

    /// <summary>Sets the address of the model. Call it before the application starts.</summary>
    public static void UseModel(IConfiguration configuration, string address) => configuration[ModelAddress] = address;

    [GeneratedRegex("^[a-z]{1,20}$")]
    private static partial Regex UserName();
}

// <ai-access>
/// <summary>A conversation is the topic <c>chats/{user}/{chat}</c>, which its user alone may read.</summary>
public sealed class ChatAccess : IAccessPolicy, IPatternAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(NamePrefix.Covers($"chats/{caller.UserId}", topic.Value));

    // One stream for all conversations of the user: chats/{user}/*
    public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
        new(NamePrefix.Covers($"chats/{caller.UserId}", pattern.Prefix));
}
// </ai-access>
