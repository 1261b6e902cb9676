using System.Text.Json;
using Dunlin.Apps.Common;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Server;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Worlds.Tests.Nodes;

/// <summary>
/// The <c>dunlin</c> server with one endpoint more: an application's write that requires a lease, in the transaction of the write.
/// </summary>
internal static class NodeProgram
{
    public const string GuardedPath = "/worlds/guarded";

    public const string GuardedTopic = "worlds/guarded";

    /// <summary>Serves until the process is stopped.</summary>
    /// <param name="args">Pairs of an option and its value, for example <c>--port 0</c>.</param>
    public static Task<int> RunAsync(string[] args)
    {
        var given = args.Chunk(2).ToDictionary(pair => Name(pair[0]), pair => (string?)pair[1], StringComparer.Ordinal);
        return ProgramRun.GuardedAsync(async () =>
        {
            await using var app = ServerApplication.Build(given);
            app.MapPost(GuardedPath, WriteAsync);
            var settings = app.Services.GetRequiredService<ServerSettings>();
            await ProgramRun.ServeAsync(app, settings.Address, settings.Port, settings.MakeFolder);
        });
    }

    private static string Name(string option) => char.ToUpperInvariant(option[2]) + option[3..];

    private static async Task WriteAsync(HttpContext context)
    {
        var body = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        string Text(string name) => body.RootElement.GetProperty(name).GetString()!;
        var resource = ResourceName.Parse(Text("resource"));
        var token = body.RootElement.GetProperty("fence").GetInt64();
        var claim = new LeaseClaim(resource, Text("leaseId"), Text("user"), token);
        var data = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                id = Text("id"),
                resource = resource.Value,
                fence = token,
            }
        );
        // Not the token of the request: a cancelled write may still commit, and its caller has gone.
        var position = await context
            .RequestServices.GetRequiredService<IStore>()
            .WriteAsync(
                async (unit, ct) =>
                {
                    await unit.Leases.RequireAsync(claim, ct);
                    return await unit.AppendAsync(new EventDraft(TopicName.Parse(GuardedTopic), "e", data), ct);
                },
                CancellationToken.None
            );
        await context.Response.WriteAsync($$"""{"positions":["{{position}}"]}""", context.RequestAborted);
    }
}
