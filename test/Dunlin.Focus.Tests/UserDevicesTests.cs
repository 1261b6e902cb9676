using System.Text.Json.Serialization;
using Dapper;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;

namespace Dunlin.Focus.Tests;

/// <summary>The API of the user devices over a real stream.</summary>
public sealed partial class UserDevicesTests
{
    private static Task<FocusHost> StartAsync() => FocusHost.StartAsync(engine => engine.AddChannel("notes", "created", "deleted"));

    [Fact]
    public async Task A_broadcast_reaches_every_device_in_envelopes()
    {
        await using var host = await StartAsync();
        await using var laptop = await host.OpenAsync("laptop");
        await using var phone = await host.OpenAsync("phone");
        await host.Devices.BroadcastAsync("ann", "notes", "created", new { Id = 7, Text = "two\nlines" }, "laptop");
        foreach (var reader in new[] { laptop, phone })
        {
            var frame = await reader.NextAsync();
            Assert.Equal(
                ("notes:created", "laptop", "two\nlines"),
                (frame.Name, frame.SourceDeviceId, frame.Payload.GetProperty("text").GetString())
            );
        }
    }

    [Fact]
    public async Task A_payload_follows_the_source_generated_contract()
    {
        await using var host = await StartAsync();
        await using var laptop = await host.OpenAsync("laptop");
        var json = AppJson.Default.Note;
        await host.Devices.BroadcastAsync("ann", "notes", "created", new Note(1), json);
        await host.Devices.BroadcastAsync("ann", "notes", "created", new Note(2), json, exceptDevice: "phone");
        await host.Devices.SendToDeviceAsync("ann", "laptop", "notes", "created", new Note(3), json);
        for (var i = 1; i <= 3; i++)
            Assert.Equal($$"""{"note_number":{{i}}}""", (await laptop.NextAsync()).Payload.GetRawText());
    }

    [Fact]
    public async Task An_excluded_device_gets_no_event_live_or_on_replay_on_any_tab()
    {
        await using var host = await StartAsync();
        string? start;
        await using (var laptop = await host.OpenAsync("laptop"))
        await using (var sibling = await host.OpenAsync("laptop"))
        await using (var phone = await host.OpenAsync("phone"))
        {
            start = laptop.LastId;
            await host.Devices.BroadcastAsync("ann", "notes", "created", new { id = 1 }, sourceDeviceId: "phone", exceptDevice: "laptop");
            await host.Devices.BroadcastAsync("ann", "notes", "deleted", new { id = 1 });
            Assert.Equal(
                ("notes:created", "phone", 1),
                await phone.NextAsync() is var f ? (f.Name, f.SourceDeviceId, f.Payload.GetProperty("id").GetInt32()) : default
            );
            Assert.Equal("notes:deleted", (await phone.NextAsync()).Name);
            Assert.Equal("notes:deleted", (await laptop.NextAsync()).Name);
            Assert.Equal("notes:deleted", (await sibling.NextAsync()).Name);
        }
        await using var replayed = await host.OpenAsync("laptop", lastEventId: start);
        Assert.Equal("notes:deleted", (await replayed.NextAsync()).Name);
        await using var other = await host.OpenAsync("phone", lastEventId: start);
        Assert.Equal("notes:created", (await other.NextAsync()).Name);
    }

    [Fact]
    public async Task Sending_to_a_device_reports_its_connection_and_is_kept_for_later()
    {
        await using var host = await StartAsync();
        string? phoneWas;
        await using (var phone = await host.OpenAsync("phone"))
            phoneWas = phone.LastId;
        await using var laptop = await host.OpenAsync("laptop");
        await WhenAsync(async () => !(await host.Devices.IsDeviceConnectedAsync("ann", "phone")).Value);
        Assert.True(await host.Devices.SendToDeviceAsync("ann", "laptop", "notes", "created", new { id = 1 }));
        Assert.False(await host.Devices.SendToDeviceAsync("ann", "phone", "notes", "created", new { id = 2 }));
        Assert.False(await host.Devices.SendToDeviceAsync("bob", "laptop", "notes", "created", new { id = 3 }));
        Assert.Equal(1, (await laptop.NextAsync()).Payload.GetProperty("id").GetInt32());
        await using var back = await host.OpenAsync("phone", lastEventId: phoneWas);
        Assert.Equal(2, (await back.NextAsync()).Payload.GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task Counts_follow_streams_and_an_old_tab_does_not_remove_a_new_one()
    {
        await using var host = await StartAsync();
        Assert.Equal(
            (0, false),
            ((await host.Devices.ConnectionCountAsync("ann")).Value, (await host.Devices.IsUserConnectedAsync("ann")).Value)
        );
        var old = await host.OpenAsync("laptop");
        await using var young = await host.OpenAsync("laptop");
        await using var phone = await host.OpenAsync("phone");
        Assert.Equal(
            (3, true),
            ((await host.Devices.ConnectionCountAsync("ann")).Value, (await host.Devices.IsUserConnectedAsync("ann")).Value)
        );
        Assert.Equal(["laptop", "phone"], (await host.Devices.ConnectedDevicesAsync("ann")).Value.Order(StringComparer.Ordinal));
        await old.DisposeAsync();
        await WhenAsync(async () => (await host.Devices.ConnectionCountAsync("ann")).Value == 2);
        Assert.True((await host.Devices.IsDeviceConnectedAsync("ann", "laptop")).Value);
        Assert.False((await host.Devices.IsUserConnectedAsync("bob")).Value);
        Assert.True((await host.Devices.SendHeartbeatAsync("ann", "laptop")).Value);
        Assert.False((await host.Devices.SendHeartbeatAsync("ann", "tablet")).Value);
        await host.Devices.BroadcastAsync("ann", "notes", "created", new { id = 1 });
        Assert.Equal("notes:created", (await young.NextAsync()).Name);
    }

    [Fact]
    public async Task G1_A_broadcast_in_a_unit_of_work_is_atomic_with_it()
    {
        await using var host = await StartAsync();
        await using var laptop = await host.OpenAsync("laptop");
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await host.Store.WriteAsync(
                async (unit, ct) =>
                {
                    await host.Devices.BroadcastAsync(unit, "ann", "notes", "created", new { id = 1 }, cancellationToken: ct);
                    throw new InvalidOperationException("no");
                }
            )
        );
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Connection.ExecuteAsync(
                    "INSERT INTO focus_device (device_id, user_id, name, created_at) VALUES ('x', 'ann', 'X', 0)",
                    transaction: unit.Transaction
                );
                await host.Devices.BroadcastAsync(unit, "ann", "notes", "created", new { id = 2 }, cancellationToken: ct);
            }
        );
        Assert.Equal(2, (await laptop.NextAsync()).Payload.GetProperty("id").GetInt32());
    }

    [Theory]
    [InlineData("note", "created", "channel", "calendar, devices, notes, settings, tasks, timer")]
    [InlineData("", "created", "channel", "notes")]
    [InlineData("notes", "exploded", "type", "created, deleted")]
    [InlineData("notes", "", "type", "created, deleted")]
    [InlineData("timer", "created", "type", "moved, started, stopped, updated")]
    [InlineData("system", "connected", "channel", "notes")]
    public async Task An_unknown_channel_or_type_is_refused_naming_the_known_ones(string channel, string type, string field, string says)
    {
        await using var host = await StartAsync();
        foreach (
            var call in new Func<Task>[]
            {
                () => host.Devices.BroadcastAsync("ann", channel, type, 1).AsTask(),
                () => host.Devices.SendToDeviceAsync("ann", "laptop", channel, type, 1).AsTask(),
            }
        )
        {
            var fault = await Assert.ThrowsAsync<DunlinException>(call);
            Assert.Equal((ErrorCode.InvalidField, field), (fault.Code, fault.Field));
            Assert.Contains(says, fault.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("LONG")]
    public async Task An_invalid_device_id_is_refused(string id)
    {
        await using var host = await StartAsync();
        var deviceId = id.Replace("LONG", new string('d', 65), StringComparison.Ordinal);
        Assert.Equal(
            "deviceId",
            (
                await Assert.ThrowsAsync<DunlinException>(() =>
                    host.Devices.SendToDeviceAsync("ann", deviceId, "notes", "created", 1).AsTask()
                )
            ).Field
        );
        Assert.Equal(
            "sourceDeviceId",
            (
                await Assert.ThrowsAsync<DunlinException>(() =>
                    host.Devices.BroadcastAsync("ann", "notes", "created", 1, deviceId).AsTask()
                )
            ).Field
        );
        Assert.Equal(
            "exceptDevice",
            (
                await Assert.ThrowsAsync<DunlinException>(() =>
                    host.Devices.BroadcastAsync("ann", "notes", "created", 1, exceptDevice: deviceId).AsTask()
                )
            ).Field
        );
    }

    [Theory]
    [InlineData("system", "x")]
    [InlineData("", "x")]
    [InlineData("a:b", "x")]
    [InlineData("a", "x y")]
    public void An_invalid_channel_is_refused_at_registration(string channel, string type) =>
        Assert.Throws<ArgumentException>(() => new ChannelRule(channel, [type]));

    // A stream closes when its socket ends, which manual time does not control.
    private static async Task WhenAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }

    internal sealed record Note(int NoteNumber);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Note))]
    private sealed partial class AppJson : JsonSerializerContext;
}
