using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dunlin.Client;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin leases</c>: lists and watches held leases, and frees them.</summary>
internal static class LeasesCommand
{
    private static readonly string[] Headings = ["RESOURCE", "USER", "FENCE", "EXPIRES IN", "WAITING"];

    private static readonly Argument<string?> Prefix = new("prefix")
    {
        Description = "List resources under this prefix only",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private static readonly Option<bool> Watch = new("--watch") { Description = "Continue with changes as they happen" };
    private static readonly Argument<string> Resource = new("resource") { Description = "The resource, such as files/7" };
    private static readonly Option<string> LeaseId = new("--lease-id")
    {
        Description = "The id that the holder chose",
        Required = true,
        HelpName = "id",
    };
    private static readonly Option<string> Reason = new("--reason")
    {
        Description = "The reason, which the holder receives",
        Required = true,
        HelpName = "text",
    };
    private static readonly Option<int> Grace = new("--grace")
    {
        Description = "Seconds in which the holder may still save",
        DefaultValueFactory = _ => 0,
        HelpName = "seconds",
    };

    static LeasesCommand() => Grace.RequireRange(0);

    public static Command Create() =>
        new Command("leases", "List held leases.")
            .With(
                Prefix,
                Watch,
                new Command("release", "Release a lease, with the id of its holder.").With(Resource, LeaseId).Calls(ReleaseAsync),
                new Command("preempt", "Take a lease from its holder and free the resource. Needs the right 'take'.")
                    .With(Resource, Reason, Grace)
                    .Calls(PreemptAsync)
            )
            .Calls(ListAsync);

    private static async Task ListAsync(CommandRun run, DunlinClient client)
    {
        var prefix = run.Given.GetValue(Prefix);
        var leases = new List<LeaseGrant>();
        LeaseListPage page;
        string? after = null;
        do
        {
            page = await client.Leases.ListAsync(prefix, after, cancellationToken: run.CancellationToken);
            leases.AddRange(page.Leases);
            after = page.Next;
        } while (after is not null);
        if (run.Output.IsJson)
            foreach (var lease in leases)
                run.Output.Json(json => Write(json, lease));
        else if (leases.Count == 0)
            run.Output.Note("No lease is held" + (prefix is null ? "." : $" under '{prefix}'."));
        else
            run.Output.Table(Headings, [.. leases.Select(Row)]);
        run.Output.Flush();
        if (run.Get(Watch))
            await WatchAsync(run, client, prefix, page.Position);
    }

    // Changes are published to leases/{first segment of the resource}. The stream begins where the list ends, so none is missed.
    private static async Task WatchAsync(CommandRun run, DunlinClient client, string? prefix, StreamPosition after)
    {
        var topic = $"leases/{prefix?.Split('/')[0] ?? "*"}";
        await foreach (var item in client.SubscribeAsync(topic, new SubscribeOptions { After = after }, run.CancellationToken))
        {
            if (item.IsReset)
            {
                run.Output.Note($"Changes were lost ({item.ResetReason}). Start the command again for the present list.");
                continue;
            }
            using var data = JsonDocument.Parse(item.Data);
            var resource = data.RootElement.TryGetProperty("resource", out var name) ? name.GetString() ?? "" : "";
            if (prefix is not null && resource != prefix && !resource.StartsWith(prefix.TrimEnd('/') + "/", StringComparison.Ordinal))
                continue;
            if (run.Output.IsJson)
                run.Output.JsonObject(json =>
                {
                    json.WriteString("type", item.Type);
                    json.WritePropertyName("data");
                    data.RootElement.WriteTo(json);
                });
            else
                run.Output.Line($"{run.Output.Paint(item.Type, Ink.Bold)}  {resource}  {item.GetText()}");
            run.Output.Flush();
        }
    }

    private static async Task ReleaseAsync(CommandRun run, DunlinClient client)
    {
        var resource = run.Need(Resource);
        await client.Leases.ReleaseAsync(resource, run.Get(LeaseId)!, run.CancellationToken);
        Freed(run, resource, "Released");
    }

    private static async Task PreemptAsync(CommandRun run, DunlinClient client)
    {
        var resource = run.Need(Resource);
        await using var lease = await client.Leases.PreemptAsync(
            resource,
            run.Get(Reason)!,
            TimeSpan.FromSeconds(run.Get(Grace)),
            cancellationToken: run.CancellationToken
        );
        await lease.ReleaseAsync();
        Freed(run, resource, "Freed");
    }

    private static void Freed(CommandRun run, string resource, string done)
    {
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteString("resource", resource));
        else
            run.Output.Line($"{done} '{resource}'.");
    }

    private static string[] Row(LeaseGrant lease) =>
        [
            lease.Resource,
            lease.Owner?.UserId ?? "",
            lease.Fence.ToString(CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"{(lease.ExpiresAt - lease.ServerNow).TotalSeconds:0} s"),
            lease.Queue.ToString(CultureInfo.InvariantCulture),
        ];

    private static void Write(Utf8JsonWriter json, LeaseGrant lease)
    {
        json.WriteStartObject();
        json.WriteString("resource", lease.Resource);
        json.WriteString("userId", lease.Owner?.UserId);
        json.WriteNumber("fence", lease.Fence);
        json.WriteString("state", lease.State);
        json.WriteString("acquiredAt", lease.AcquiredAt);
        json.WriteString("expiresAt", lease.ExpiresAt);
        json.WriteString("serverNow", lease.ServerNow);
        json.WriteNumber("queue", lease.Queue);
        json.WriteEndObject();
    }
}
