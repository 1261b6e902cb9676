using System.Text.Json;

namespace Dunlin.Focus.Tests;

public sealed class SyncTests
{
    [Fact]
    public async Task Each_event_arrives_once_on_every_tab_and_names_its_source_device()
    {
        await using var host = await FocusHost.StartAsync();
        await using var tabOne = await host.OpenAsync("laptop");
        await using var tabTwo = await host.OpenAsync("laptop");
        await using var phone = await host.OpenAsync("phone");
        await using var stranger = await host.OpenAsync("other-laptop", "bob");
        using var laptop = host.Client("laptop");
        await laptop.TaskAsync("One");
        await laptop.CommandAsync("start");
        await laptop.CommandAsync("cancel");
        await laptop.TaskAsync("Last");
        string[] expected = ["tasks:created", "timer:started", "timer:stopped", "tasks:created"];
        foreach (var reader in new[] { tabOne, tabTwo, phone })
        {
            foreach (var name in expected)
                Assert.Equal((name, "laptop"), await reader.NextAsync() is var frame ? (frame.Name, frame.SourceDeviceId) : default);
        }
        using var bob = host.Client("other-laptop", "bob");
        await bob.TaskAsync("Bob's");
        Assert.Equal("Bob's", (await stranger.NextAsync()).Payload.GetProperty("task").GetProperty("title").GetString());
        Assert.Equal(4, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task Tasks_and_calendar_events_are_created_updated_and_deleted_everywhere()
    {
        await using var host = await FocusHost.StartAsync();
        await using var phone = await host.OpenAsync("phone");
        using var laptop = host.Client();
        var task = await laptop.OkAsync("POST", "/api/tasks", new { title = "  Write ", notes = "soon" });
        var id = task.GetProperty("id").GetString();
        var created = (await phone.NextAsync()).Payload.GetProperty("task");
        Assert.Equal(task.GetRawText(), created.GetRawText());
        await laptop.OkAsync("PATCH", $"/api/tasks/{id}", new { isDone = true });
        var updated = (await phone.UntilAsync("tasks:updated")).Payload.GetProperty("task");
        Assert.True(
            updated.GetProperty("isDone").GetBoolean()
                && updated.GetProperty("version").GetInt64() > created.GetProperty("version").GetInt64()
        );
        await laptop.OkAsync("DELETE", $"/api/tasks/{id}");
        Assert.Equal(id, (await phone.UntilAsync("tasks:deleted")).Payload.GetProperty("id").GetString());

        var entry = await laptop.OkAsync(
            "POST",
            "/api/calendar/events",
            new
            {
                title = "Talk",
                start = "2030-01-02T09:00:00+02:00",
                end = "2030-01-02T10:30:00+02:00",
            }
        );
        id = entry.GetProperty("id").GetString();
        Assert.Equal(
            "2030-01-02T09:00:00+02:00",
            (await phone.UntilAsync("calendar:event_created")).Payload.GetProperty("event").GetProperty("start").GetString()
        );
        await laptop.OkAsync("PATCH", $"/api/calendar/events/{id}", new { end = "2030-01-02T09:00:00Z" });
        Assert.Equal(
            "2030-01-02T09:00:00+00:00",
            (await phone.UntilAsync("calendar:event_updated")).Payload.GetProperty("event").GetProperty("end").GetString()
        );
        var page = await laptop.OkAsync("GET", "/api/calendar/events?from=2030-01-01T00:00:00Z&to=2030-01-08T00:00:00Z");
        Assert.Equal(id, Assert.Single(page.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        // An unencoded plus, an offset without a colon, and more digits than are stored.
        foreach (
            var query in new[]
            {
                "from=2030-01-02T00:00:00+02:00&to=2030-01-08T00:00:00+0100",
                "from=2030-01-02T00:00:00.123456789%2B02:00&to=2030-01-08T00:00Z",
            }
        )
            Assert.Equal(1, (await laptop.OkAsync("GET", "/api/calendar/events?" + query)).GetProperty("items").GetArrayLength());
        await laptop.OkAsync("DELETE", $"/api/calendar/events/{id}");
        Assert.Equal(id, (await phone.UntilAsync("calendar:event_deleted")).Payload.GetProperty("id").GetString());
        Assert.Empty(
            (await laptop.OkAsync("GET", "/api/calendar/events?from=2030-01-01T00:00:00Z&to=2030-01-08T00:00:00Z"))
                .GetProperty("items")
                .EnumerateArray()
        );
    }

    [Fact]
    public async Task A_device_offline_for_100_events_catches_up()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        string? last;
        await using (var phone = await host.OpenAsync("phone"))
        {
            await laptop.CommandAsync("start", new { mode = "pomodoro" });
            await phone.UntilAsync("timer:started");
            last = phone.LastId;
        }
        for (var i = 0; i < 50; i++)
        {
            await laptop.CommandAsync(i % 2 == 0 ? "pause" : "resume");
            await laptop.TaskAsync($"Task {i}");
        }
        await host.RestartAsync();
        await using var again = await host.OpenAsync("phone", lastEventId: last);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i % 2 == 0 ? "paused" : "resumed", (await again.NextAsync()).Payload.GetProperty("change").GetString());
            Assert.Equal($"Task {i}", (await again.NextAsync()).Payload.GetProperty("task").GetProperty("title").GetString());
        }
        using var client = host.Client("phone");
        var timer = (await client.TimerAsync()).GetProperty("timer");
        Assert.Equal(again.Seen[^2].Payload.GetProperty("timer").GetRawText(), timer.GetRawText());
    }

    [Fact]
    public async Task Changes_while_all_devices_were_offline_arrive_on_reconnect()
    {
        await using var host = await FocusHost.StartAsync();
        string? laptopId,
            phoneId;
        await using (var laptop = await host.OpenAsync("laptop"))
        await using (var phone = await host.OpenAsync("phone"))
            (laptopId, phoneId) = (laptop.LastId, phone.LastId);
        await host.RestartAsync(TimeSpan.FromMinutes(5));
        // The laptop reconnects and sends its pending task twice, because the first answer was lost.
        using var client = host.Client("laptop");
        var made = new { id = "made-offline", title = "Made offline" };
        Assert.Equal(201, (await client.SendAsync("POST", "/api/tasks", made)).Status);
        Assert.Equal(200, (await client.SendAsync("POST", "/api/tasks", made)).Status);
        var entry = new
        {
            id = "met-offline",
            title = "Met offline",
            start = "2030-01-02T09:00:00Z",
            end = "2030-01-02T10:00:00Z",
        };
        Assert.Equal(201, (await client.SendAsync("POST", "/api/calendar/events", entry)).Status);
        Assert.Equal(200, (await client.SendAsync("POST", "/api/calendar/events", entry)).Status);
        foreach (var (device, last) in new[] { ("laptop", laptopId), ("phone", phoneId) })
        {
            await using var stream = await host.OpenAsync(device, lastEventId: last);
            Assert.Equal("made-offline", (await stream.NextAsync()).Payload.GetProperty("id").GetString());
            Assert.Equal("met-offline", (await stream.NextAsync()).Payload.GetProperty("id").GetString());
        }
        await client.OkAsync("DELETE", "/api/tasks/made-offline");
        Assert.Equal(409, (await client.SendAsync("POST", "/api/tasks", made)).Status);
    }

    [Fact]
    public async Task Ids_of_another_user_are_refused()
    {
        await using var host = await FocusHost.StartAsync();
        using var ann = host.Client("laptop", "ann");
        using var bob = host.Client("bobs", "bob");
        await ann.OkAsync("POST", "/api/tasks", new { id = "shared-id", title = "Ann's" });
        Assert.Equal(404, (await bob.SendAsync("PATCH", "/api/tasks/shared-id", new { title = "Mine now" })).Status);
        Assert.Equal(404, (await bob.SendAsync("DELETE", "/api/tasks/shared-id")).Status);
        Assert.Equal(404, (await bob.SendAsync("POST", "/api/timer/start", new { taskId = "shared-id" })).Status);
        await bob.OkAsync("POST", "/api/tasks", new { id = "shared-id", title = "Bob's" });
        Assert.Equal("Ann's", (await ann.TaskNowAsync("shared-id")).GetProperty("title").GetString());
    }

    [Fact]
    public async Task No_stream_ends_in_ten_minutes_and_silence_has_a_comment_every_30_s()
    {
        await using var host = await FocusHost.StartAsync();
        await using var tabOne = await host.OpenAsync("laptop");
        await using var tabTwo = await host.OpenAsync("laptop");
        await using var phone = await host.OpenAsync("phone");
        await using var raw = await RawStream.OpenAsync(host, "tablet");
        for (var i = 0; i < 20; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(32));
            var comment = raw.CommentAsync();
            // On a busy machine time may pass before the last comment's write has ended. The next one then follows 30 s after that.
            if (await Task.WhenAny(comment, Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System)) != comment)
                await host.AdvanceAsync(TimeSpan.FromSeconds(30));
            await comment;
        }
        Assert.True(tabOne.IsOpen && tabTwo.IsOpen && phone.IsOpen);
        Assert.Equal(4, (await host.Devices.ConnectionCountAsync("ann")).Value);
        using var laptop = host.Client();
        await laptop.TaskAsync("Still here");
        foreach (var reader in new[] { tabOne, tabTwo, phone })
            Assert.Equal("tasks:created", (await reader.NextAsync()).Name);
    }

    [Fact]
    public async Task The_first_frame_names_device_and_connection()
    {
        await using var host = await FocusHost.StartAsync();
        await using var laptop = await host.OpenAsync("laptop");
        var payload = laptop.Seen.Single().Payload;
        Assert.Equal("laptop", payload.GetProperty("deviceId").GetString());
        Assert.Equal(host.Fanout.OfUser("ann").Single().Id, payload.GetProperty("connectionId").GetString());
        Assert.NotNull(laptop.LastId);
    }

    /// <summary>The raw bytes of a stream, which a parser hides.</summary>
    private sealed class RawStream(HttpClient client, HttpResponseMessage response, Stream stream) : IAsyncDisposable
    {
        private readonly byte[] _buffer = new byte[4096];

        public static async Task<RawStream> OpenAsync(FocusHost host, string device)
        {
            var client = host.Client(device).Http;
            var response = await client.GetAsync("/api/sse", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
            var raw = new RawStream(client, response, await response.Content.ReadAsStreamAsync());
            var read = await raw.ReadAsync();
            if (!read.Contains("connected", StringComparison.Ordinal))
                Assert.Contains("connected", read + await raw.ReadAsync(), StringComparison.Ordinal);
            return raw;
        }

        public async Task CommentAsync() => Assert.Matches("^(:\n\n)+$", await ReadAsync());

        public ValueTask DisposeAsync()
        {
            response.Dispose();
            client.Dispose();
            return default;
        }

        private async Task<string> ReadAsync() =>
            System.Text.Encoding.UTF8.GetString(_buffer, 0, await stream.ReadAsync(_buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
