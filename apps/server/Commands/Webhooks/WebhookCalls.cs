using System.Text.Json;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands.Webhooks;

/// <summary>The requests of <c>dunlin webhooks</c>. Not thread-safe.</summary>
internal sealed class WebhookCalls(RemoteHttp remote, CancellationToken cancellationToken)
{
    private const string Root = "dunlin/v1/webhooks";

    /// <summary>The number of deliveries of a page, so that a redrive of a page stays within the limit of a body.</summary>
    private const int PageSize = 500;

    public async Task<IReadOnlyList<JsonElement>> ListAsync()
    {
        try
        {
            var answer = await remote.SendAsync(HttpMethod.Get, Root, null, cancellationToken);
            return [.. answer.GetProperty("webhooks").EnumerateArray()];
        }
        catch (CommandFault fault) when (fault.Code == "not_found")
        {
            throw NoWebhooks(fault);
        }
    }

    public Task<JsonElement> GetAsync(string id) => SendAsync(HttpMethod.Get, id);

    public async Task<JsonElement> AddAsync(Action<Utf8JsonWriter> writeMembers)
    {
        try
        {
            return await remote.SendAsync(HttpMethod.Post, Root, writeMembers, cancellationToken);
        }
        catch (CommandFault fault) when (fault.Code == "not_found")
        {
            throw NoWebhooks(fault);
        }
    }

    /// <param name="id">The id of the webhook.</param>
    /// <param name="action"><c>pause</c>, <c>resume</c>, <c>rotate</c> or <c>test</c>.</param>
    public Task<JsonElement> PostAsync(string id, string action) => SendAsync(HttpMethod.Post, id, "/" + action);

    public Task<JsonElement> RemoveAsync(string id) => SendAsync(HttpMethod.Delete, id);

    /// <summary>Makes dead deliveries wait again.</summary>
    /// <returns>The number of deliveries.</returns>
    public async Task<int> RedriveAsync(string id, IEnumerable<string> messages)
    {
        var answer = await SendAsync(
            HttpMethod.Post,
            id,
            "/redrive",
            json =>
            {
                json.WriteStartArray("messages");
                foreach (var message in messages)
                    json.WriteStringValue(message);
                json.WriteEndArray();
            }
        );
        return answer.GetProperty("redriven").GetInt32();
    }

    /// <summary>Returns the dead deliveries of a webhook, page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<JsonElement>> ReadDeadAsync(string id)
    {
        string? after = null;
        do
        {
            var page = await SendAsync(
                HttpMethod.Get,
                id,
                $"/deliveries?state=dead&limit={PageSize}" + (after is null ? "" : "&after=" + after)
            );
            yield return [.. page.GetProperty("deliveries").EnumerateArray()];
            after = page.GetProperty("next").GetString();
        } while (after is not null);
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string id, string rest = "", Action<Utf8JsonWriter>? writeMembers = null)
    {
        try
        {
            return await remote.SendAsync(method, $"{Root}/{id}{rest}", writeMembers, cancellationToken);
        }
        catch (CommandFault fault) when (fault.Code == "not_found")
        {
            // A server without webhooks answers with the same code: the list tells the two apart.
            await ListAsync();
            throw CommandFault.Refused(fault.Code, fault.Message, "'dunlin webhooks list' lists the ids.", fault);
        }
    }

    private static CommandFault NoWebhooks(CommandFault fault) =>
        CommandFault.Refused(
            fault.Code!,
            "This server has no webhooks.",
            "Start it with 'dunlin serve --webhooks', or call app.MapDunlinWebhooks().",
            fault
        );
}
