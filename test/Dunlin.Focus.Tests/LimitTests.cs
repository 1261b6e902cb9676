using System.Net;
using Dapper;

namespace Dunlin.Focus.Tests;

/// <summary>Limits for the stored data of one user.</summary>
public sealed class LimitTests
{
    private const string Event = "title, notes, starts_at, starts_offset, ends_at, ends_offset, version, created_at";
    private const string OfTask = "title, notes, is_done, logged_ms, version, created_at";

    [Fact]
    public async Task Events_and_tasks_above_the_limit_are_refused_until_one_is_deleted()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await FillAsync(host, $"focus_event (user_id, id, {Event})", "'', 0, 0, 1, 0, 1, 0", 9_999);
        await FillAsync(host, $"focus_task (user_id, id, {OfTask})", "'', 0, 0, 1, 0", 1_999);
        object entry = new
        {
            title = "Talk",
            start = "2030-01-02T09:00:00Z",
            end = "2030-01-02T10:00:00Z",
        };
        foreach (
            var (path, body, limit) in new[] { ("/api/calendar/events", entry, 10_000), ("/api/tasks", new { title = "Write" }, 2_000) }
        )
        {
            var last = (await laptop.OkAsync("POST", path, body)).GetProperty("id").GetString();
            var (status, problem) = await laptop.SendAsync("POST", path, body);
            Assert.Equal(
                (429, "limit_reached", limit),
                (status, problem.GetProperty("code").GetString(), problem.GetProperty("limit").GetInt32())
            );
            using var other = host.Client("other", "bob");
            await other.OkAsync("POST", path, body);
            await laptop.OkAsync("DELETE", $"{path}/{last}");
            await laptop.OkAsync("POST", path, body);
        }
    }

    [Fact]
    public async Task Deleted_events_and_tasks_are_remembered_up_to_a_limit()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        foreach (
            var (path, table, columns, rest, body) in new (string, string, string, string, object)[]
            {
                (
                    "/api/calendar/events",
                    "focus_event",
                    Event + ", deleted_at",
                    "'', 0, 0, 1, 0, 1, 0, i",
                    new
                    {
                        title = "Talk",
                        start = "2030-01-02T09:00:00Z",
                        end = "2030-01-02T10:00:00Z",
                    }
                ),
                ("/api/tasks", "focus_task", OfTask + ", deleted_at", "'', 0, 0, 1, 0, i", new { title = "Write" }),
            }
        )
        {
            await FillAsync(host, $"{table} (user_id, id, {columns})", rest, 1_200);
            await FillAsync(host, $"{table} (user_id, id, {columns})", rest, 50, "bob");
            var id = (await laptop.OkAsync("POST", path, body)).GetProperty("id").GetString();
            await laptop.OkAsync("DELETE", $"{path}/{id}");
            Assert.Equal((1_000, 50), (await CountAsync(host, table, "ann"), await CountAsync(host, table, "bob")));
        }
    }

    [Fact]
    public async Task A_new_device_above_the_limit_replaces_the_oldest_unconnected_one()
    {
        await using var host = await FocusHost.StartAsync();
        await using var oldest = await host.OpenAsync("device-0");
        for (var i = 1; i < 100; i++)
            await NoteAsync(host, $"device-{i}");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await NoteAsync(host, "device-100");
        using var client = host.Client("device-0");
        var devices = (await client.OkAsync("GET", "/api/devices"))
            .EnumerateArray()
            .Select(each => each.GetProperty("deviceId").GetString())
            .ToList();
        Assert.Equal(100, devices.Count);
        Assert.Contains("device-0", devices);
        Assert.DoesNotContain("device-1", devices);
        Assert.Contains("device-100", devices);
        // A forgotten device can register again.
        await NoteAsync(host, "device-1");
    }

    [Fact]
    public async Task HEAD_of_the_device_stream_registers_no_device()
    {
        await using var host = await FocusHost.StartAsync();
        using (var ghost = host.Client("ghost"))
        using (var head = new HttpRequestMessage(HttpMethod.Head, "/api/sse"))
        using (var answer = await ghost.Http.SendAsync(head))
            Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        await using var laptop = await host.OpenAsync("laptop");
        using var client = host.Client("laptop");
        var devices = (await client.OkAsync("GET", "/api/devices"))
            .EnumerateArray()
            .Select(each => each.GetProperty("deviceId").GetString());
        Assert.Equal(["laptop"], devices);
    }

    private static async Task NoteAsync(FocusHost host, string device)
    {
        using var client = host.Client(device);
        await client.OkAsync("POST", "/api/tasks", new { id = "one", title = "One" });
    }

    private static ValueTask<int> FillAsync(FocusHost host, string into, string rest, int count, string userId = "ann") =>
        host.Store.WriteAsync(
            async (unit, _) =>
                await unit.Connection.ExecuteAsync(
                    $"INSERT INTO {into} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @count) "
                        + $"SELECT @userId, 'x' || i, 'X', {rest} FROM n",
                    new { count, userId },
                    unit.Transaction
                )
        );

    private static ValueTask<int> CountAsync(FocusHost host, string table, string userId) =>
        host.Store.ReadAsync(
            async (scope, _) =>
                await scope.Connection.ExecuteScalarAsync<int>(
                    $"SELECT COUNT(*) FROM {table} WHERE user_id = @userId AND deleted_at IS NOT NULL",
                    new { userId }
                )
        );
}
