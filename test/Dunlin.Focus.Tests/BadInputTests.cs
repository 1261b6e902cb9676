namespace Dunlin.Focus.Tests;

public sealed class BadInputTests
{
    private static readonly string TooLong = new('d', 65);

    [Theory]
    [InlineData("?deviceId=", 400, "invalid_field", "deviceId")]
    [InlineData("", 400, "invalid_field", "deviceId")]
    [InlineData("?deviceId=a%20b", 400, "invalid_field", "deviceId")]
    [InlineData("?deviceId=a&deviceId=b", 400, "invalid_field", "deviceId")]
    [InlineData("?deviceId=LONG", 400, "invalid_field", "deviceId")]
    [InlineData("?deviceId=bobs-phone", 403, "forbidden", "deviceId")]
    public async Task A_stream_needs_a_device_id_of_the_user(string query, int status, string code, string field)
    {
        await using var host = await FocusHost.StartAsync();
        await using var bobs = await host.OpenAsync("bobs-phone", "bob");
        using var ann = host.Client(device: null);
        await ProblemAsync(ann, "GET", "/api/sse" + query.Replace("LONG", TooLong, StringComparison.Ordinal), null, status, code, field);
        Assert.Equal(1, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task Commands_need_exactly_one_device_id_of_the_user()
    {
        await using var host = await FocusHost.StartAsync();
        await using var bobs = await host.OpenAsync("bobs-phone", "bob");
        using var none = host.Client(device: null);
        await ProblemAsync(none, "POST", "/api/timer/start", new { }, 400, "invalid_field", "deviceId");
        await ProblemAsync(none, "POST", "/api/timer/start", new { deviceId = "" }, 400, "invalid_field", "deviceId");
        await ProblemAsync(none, "POST", "/api/timer/start", new { deviceId = TooLong }, 400, "invalid_field", "deviceId");
        await ProblemAsync(none, "POST", "/api/timer/start", new { deviceId = "bobs-phone" }, 403, "forbidden", "deviceId");
        await ProblemAsync(none, "POST", "/api/tasks", new { title = "x", deviceId = "bobs-phone" }, 403, "forbidden", "deviceId");
        using var laptop = host.Client("laptop");
        await ProblemAsync(laptop, "POST", "/api/timer/start", new { deviceId = "phone" }, 400, "invalid_field", "deviceId");
        await laptop.CommandAsync("start", new { deviceId = "laptop" });
        await ProblemAsync(laptop, "POST", "/api/timer/move", new { targetDeviceId = "bobs-phone" }, 403, "forbidden", "targetDeviceId");
        await ProblemAsync(laptop, "POST", "/api/timer/move", new { targetDeviceId = "nobodys" }, 404, "not_found", "targetDeviceId");
        await ProblemAsync(laptop, "POST", "/api/timer/move", new { targetDeviceId = "a b" }, 400, "invalid_field", "targetDeviceId");
        await ProblemAsync(laptop, "PUT", "/api/devices/bobs-phone", new { name = "Mine" }, 403, "forbidden", "deviceId");
        await ProblemAsync(laptop, "PUT", "/api/devices/laptop", new { name = " " }, 400, "invalid_field", "name");
    }

    [Theory]
    [InlineData("""{"plannedMinutes":-5}""", "plannedMinutes")]
    [InlineData("""{"plannedMinutes":0}""", "plannedMinutes")]
    [InlineData("""{"plannedMinutes":1441}""", "plannedMinutes")]
    [InlineData("""{"plannedMinutes":1e300}""", "plannedMinutes")]
    [InlineData("""{"plannedMinutes":"25"}""", "plannedMinutes")]
    [InlineData("""{"plannedEndTime":"2030-01-01T00:30:00"}""", "plannedEndTime")]
    [InlineData("""{"plannedEndTime":"09:30"}""", "plannedEndTime")]
    [InlineData("""{"plannedEndTime":"2029-12-31T23:00:00Z"}""", "plannedEndTime")]
    [InlineData("""{"plannedEndTime":"2030-01-03T00:00:00Z"}""", "plannedEndTime")]
    [InlineData("""{"plannedEndTime":"2030-01-01T01:00:00Z","plannedMinutes":5}""", "plannedEndTime")]
    [InlineData("""{"mode":"sprint"}""", "mode")]
    [InlineData("""{"mode":"pomodoro","plannedMinutes":25}""", "plannedMinutes")]
    [InlineData("""{"taskTitle":"   "}""", "taskTitle")]
    [InlineData("""{"taskTitle":"a\nb"}""", "taskTitle")]
    [InlineData("""{"timerId":"a b"}""", "timerId")]
    [InlineData("""{"minutes":5}""", "minutes", "unknown_field")]
    [InlineData("""[1]""", null)]
    [InlineData("""{"mode":""", null, "invalid_json")]
    public async Task An_invalid_start_is_refused_with_its_field(string body, string? field, string code = "invalid_field")
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await ProblemAsync(laptop, "POST", "/api/timer/start", body, 400, code, field);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await laptop.TimerAsync()).GetProperty("timer").ValueKind);
    }

    [Theory]
    [InlineData("2030-01-02T09:00:00", "2030-01-02T10:00:00Z", "start", "no offset")]
    [InlineData("2030-01-02T09:00:00Z", "2030-01-02 10:00", "end", "no offset")]
    [InlineData("2030-01-02", "2030-01-03T10:00:00Z", "start", "no offset")]
    [InlineData("soon", "2030-01-02T10:00:00Z", "start", "not a date")]
    [InlineData("2030-02-30T09:00:00Z", "2030-03-02T10:00:00Z", "start", "does not exist")]
    [InlineData("2030-01-02T09:00:00+29:00", "2030-01-02T10:00:00Z", "start", "does not exist")]
    [InlineData("0001-01-02T09:00:00Z", "2030-01-02T10:00:00Z", "start", "between the years")]
    [InlineData("2030-01-02T09:00:00Z", "2030-01-02T08:59:00Z", "end", "after")]
    [InlineData("2030-01-02T09:00:00Z", "2030-01-02T10:00:00+01:00", "end", "after")]
    [InlineData("2030-01-02T09:00:00Z", "2030-06-02T09:00:00Z", "end", "31 days")]
    public async Task A_calendar_event_needs_times_with_an_offset_and_a_duration(string start, string end, string field, string says)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var problem = await ProblemAsync(
            laptop,
            "POST",
            "/api/calendar/events",
            new
            {
                title = "Talk",
                start,
                end,
            },
            400,
            "invalid_field",
            field
        );
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/api/tasks", """{"title":""}""", 400, "invalid_field", "title")]
    [InlineData("POST", "/api/tasks", """{}""", 400, "invalid_field", "title")]
    [InlineData("POST", "/api/tasks", """{"title":null}""", 400, "invalid_field", "title")]
    [InlineData("POST", "/api/tasks", """{"title":"LONG"}""", 400, "invalid_field", "title")]
    [InlineData("POST", "/api/tasks", """{"title":"x","id":"a/b"}""", 400, "invalid_field", "id")]
    [InlineData("POST", "/api/tasks", """{"title":"x","loggedMs":1}""", 400, "unknown_field", "loggedMs")]
    [InlineData("POST", "/api/tasks", "", 400, "invalid_json", null)]
    [InlineData("PATCH", "/api/tasks/none", """{"title":"x"}""", 404, "not_found", null)]
    [InlineData("DELETE", "/api/calendar/events/none", null, 404, "not_found", null)]
    [InlineData("GET", "/api/calendar/events", null, 400, "invalid_field", "from")]
    [InlineData("GET", "/api/calendar/events?from=2030-01-01T00:00:00&to=2030-01-08T00:00:00Z", null, 400, "invalid_field", "from")]
    [InlineData("GET", "/api/calendar/events?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z", null, 400, "invalid_field", "to")]
    [InlineData("GET", "/api/calendar/events?from=2030-01-01T00:00:00Z&to=2039-01-01T00:00:00Z", null, 400, "invalid_field", "to")]
    [InlineData("POST", "/api/timer/explode", """{}""", 404, "not_found", null)]
    [InlineData("POST", "/dunlin/v1/events", """{"topic":"users/ann/devices","type":"timer:started","data":{}}""", 403, "forbidden", null)]
    public async Task Other_errors_are_named(string method, string path, string? body, int status, string code, string? field)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await ProblemAsync(
            laptop,
            method,
            path,
            body?.Replace("LONG", new string('x', 201), StringComparison.Ordinal),
            status,
            code,
            field
        );
    }

    [Fact]
    public async Task Large_bodies_invalid_JSON_and_missing_sign_in_have_own_errors()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await ProblemAsync(
            laptop,
            "POST",
            "/api/tasks",
            $$"""{"title":"x","notes":"{{new string('n', 33_000)}}"}""",
            413,
            "too_large",
            null
        );
        using var text = await laptop.Http.PostAsync("/api/tasks", new StringContent("title=x"));
        Assert.Equal(415, (int)text.StatusCode);
        using var nobody = host.Client(user: null);
        foreach (
            var (method, path) in new[]
            {
                ("GET", "/api/sse?deviceId=x"),
                ("GET", "/api/timer"),
                ("POST", "/api/timer/start"),
                ("GET", "/api/tasks"),
                ("GET", "/api/devices"),
            }
        )
            await ProblemAsync(nobody, method, path, null, 401, "not_signed_in", null);
    }

    [Fact]
    public async Task A_change_can_require_a_version()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var task = await laptop.OkAsync("POST", "/api/tasks", new { title = "x" });
        var (path, version) = ("/api/tasks/" + task.GetProperty("id").GetString(), task.GetProperty("version").GetInt64());
        Assert.Equal(200, (await laptop.SendAsync("PATCH", path, new { title = "y" }, ("If-Match", $"\"{version}\""))).Status);
        var (status, problem) = await laptop.SendAsync("PATCH", path, new { title = "z" }, ("If-Match", $"\"{version}\""));
        Assert.Equal((412, "version_mismatch"), (status, problem.GetProperty("code").GetString()));
        Assert.Equal("y", problem.GetProperty("current").GetProperty("title").GetString());
        // A change that already applies counts as a repeated request whose answer was lost.
        Assert.Equal(200, (await laptop.SendAsync("PATCH", path, new { title = "y" }, ("If-Match", $"\"{version}\""))).Status);
        Assert.Equal(412, (await laptop.SendAsync("DELETE", path, null, ("If-Match", $"\"{version}\""))).Status);
        Assert.Equal(400, (await laptop.SendAsync("PATCH", path, new { title = "z" }, ("If-Match", "new"))).Status);
        Assert.Equal(412, (await laptop.SendAsync("PATCH", path, new { title = "z" }, ("If-Match", $"W/\"{version}\", \"x\""))).Status);
        Assert.Equal(200, (await laptop.SendAsync("PATCH", path, new { title = "z" }, ("If-Match", "*"))).Status);
    }

    [Theory]
    [InlineData("2026-02-30T10:00:00Z")]
    [InlineData("2030-01-01T24:30:00+01:00")]
    [InlineData("2030-04-31T10:00:00+02:00")]
    public async Task A_nonexistent_time_is_refused_with_that_reason(string time)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var (status, problem) = await laptop.SendAsync("POST", "/api/timer/start", new { plannedEndTime = time });
        Assert.Equal((400, "plannedEndTime"), (status, problem.GetProperty("field").GetString()));
        Assert.Contains("does not exist", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task<string> ProblemAsync(
        FocusClient client,
        string method,
        string path,
        object? body,
        int status,
        string code,
        string? field
    )
    {
        var (found, problem) = await client.SendAsync(method, path, body);
        Assert.True(found == status, $"{method} {path}: {found} {problem}");
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("hint").GetString()));
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.DoesNotContain("   at ", problem.GetRawText(), StringComparison.Ordinal);
        return problem.GetProperty("detail").GetString()!;
    }
}
