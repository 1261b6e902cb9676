// The C# of docs/guides/add-a-channel.md. The test beside it compares the two, region by region; here it is compiled, and runs.
using Dapper;
using Dunlin.Devices;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Focus.Tests.Guide;

internal static class NotesApp
{
    #region declare
    public static DunlinBuilder AddNotes(this DunlinBuilder dunlin) => dunlin.AddChannel("notes", "created", "updated", "deleted");

    public static void MapNotes(this IEndpointRouteBuilder app)
    {
        app.MapDeviceStream("/api/sse");
        app.MapPost("/api/notes", CreateAsync);
    }
    #endregion

    #region device
    private static async Task<IResult> CreateAsync(HttpContext http, NoteService notes)
    {
        var caller = http.RequireCaller(); // caller.DeviceId is the header Dunlin-Device, or ?deviceId=
        var body = await RequestBody.ReadAsync<NewNote>(http, maxBytes: 16 * 1024, http.RequestAborted);
        return Results.Ok(await notes.CreateAsync(caller, body.Text, http.RequestAborted));
    }

    private sealed record NewNote(string Text);
    #endregion
}

#region broadcast
public sealed record Note(string Id, string Text, long Version);

public sealed class NoteService(IStore store, UserDevices devices)
{
    public ValueTask<Note> CreateAsync(Caller caller, string text, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var version = (await unit.NextPositionAsync(ct)).Offset;
                var note = new Note(Guid.NewGuid().ToString("N"), text, version);
                await unit.Connection.ExecuteAsync(
                    "INSERT INTO note (user_id, id, text, version) VALUES (@UserId, @Id, @Text, @Version)",
                    new
                    {
                        caller.UserId,
                        note.Id,
                        note.Text,
                        note.Version,
                    },
                    unit.Transaction
                );
                await devices.BroadcastAsync(
                    unit,
                    caller.UserId,
                    "notes",
                    "created",
                    new { id = note.Id, note },
                    sourceDeviceId: caller.DeviceId,
                    cancellationToken: ct
                );
                return note;
            },
            cancellationToken
        );
}
#endregion

internal static class NotesElsewhere
{
    #region reference
    public static async Task ReferenceAsync(UserDevices devices, string userId)
    {
        await devices.BroadcastAsync(userId, "notes", "deleted", new { id = "n1" }); // to all
        await devices.BroadcastAsync(userId, "notes", "deleted", new { id = "n1" }, exceptDevice: "laptop-1"); // to all but one
        var isThere = await devices.SendToDeviceAsync(userId, "phone-1", "notes", "deleted", new { id = "n1" }); // to one; kept while it is away
        var count = await devices.ConnectionCountAsync(userId); // of all nodes
        var isConnected = await devices.IsUserConnectedAsync(userId);
        var isAlive = await devices.SendHeartbeatAsync(userId, "phone-1");
        Console.WriteLine($"{isThere} {count.Value} (without {count.UnresponsiveNodes} nodes) {isConnected.Value} {isAlive.Value}");
    }
    #endregion
}
