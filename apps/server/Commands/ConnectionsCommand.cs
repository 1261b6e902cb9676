using System.CommandLine;
using System.Globalization;
using Dunlin.Client;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin connections</c>: lists the open streams of a user, on all nodes.</summary>
internal static class ConnectionsCommand
{
    private static readonly string[] Headings = ["CONNECTION", "OPENED", "DEVICE", "TOPICS"];

    private static readonly Option<string> User = new("--user")
    {
        Description = "The user id",
        Required = true,
        HelpName = "id",
    };

    public static Command Create() =>
        new Command("connections", "List the open streams of a user. Needs the role 'admin'.").With(User).Calls(RunAsync);

    private static async Task RunAsync(CommandRun run, DunlinClient client)
    {
        var user = run.Get(User)!;
        var answer = await client.GetConnectionsAsync(user, run.CancellationToken);
        if (answer.UnresponsiveNodes > 0)
            run.Output.Note($"{answer.UnresponsiveNodes} nodes did not answer: their streams are missing.");
        if (run.Output.IsJson)
        {
            foreach (var connection in answer.Connections)
                run.Output.JsonObject(json =>
                {
                    json.WriteString("connectionId", connection.ConnectionId);
                    json.WriteString("openedAt", connection.OpenedAt);
                    json.WriteString("device", connection.Device);
                    json.WriteStartArray("topics");
                    foreach (var topic in connection.Topics)
                        json.WriteStringValue(topic);
                    json.WriteEndArray();
                });
            return;
        }
        if (answer.Connections.Count == 0)
            run.Output.Note($"'{user}' has no open stream.");
        run.Output.Table(
            Headings,
            [
                .. answer.Connections.Select(connection =>
                    new[]
                    {
                        connection.ConnectionId,
                        connection.OpenedAt.ToString("u", CultureInfo.InvariantCulture),
                        connection.Device ?? "",
                        string.Join(' ', connection.Topics),
                    }
                ),
            ]
        );
    }
}
