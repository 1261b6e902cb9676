namespace Dunlin.Focus.Tests;

public sealed class SessionRangeTests
{
    [Fact]
    public async Task Sessions_of_an_interval_are_those_that_started_in_it()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var start = host.Time.GetUtcNow();
        for (var i = 0; i < 3; i++)
        {
            await laptop.CommandAsync("start", new { taskTitle = $"Task {i}", plannedMinutes = 30 });
            await host.AdvanceAsync(TimeSpan.FromMinutes(60));
        }
        Assert.Equal(["Task 1"], await TitlesAsync(start.AddMinutes(30), start.AddMinutes(90)));
        Assert.Equal(["Task 0", "Task 1"], await TitlesAsync(start.AddMinutes(-1), start.AddMinutes(70)));
        Assert.Equal(400, (await laptop.SendAsync("GET", $"/api/timer/sessions?from={start:O}&to={start:O}")).Status);
        Assert.Equal(400, (await laptop.SendAsync("GET", "/api/timer/sessions?from=2030-01-01T00:00:00Z")).Status);

        async Task<IReadOnlyList<string?>> TitlesAsync(DateTimeOffset from, DateTimeOffset to) =>
            [
                .. (
                    await laptop.OkAsync(
                        "GET",
                        $"/api/timer/sessions?from={Uri.EscapeDataString($"{from:O}")}&to={Uri.EscapeDataString($"{to:O}")}"
                    )
                )
                    .EnumerateArray()
                    .Select(each => each.GetProperty("taskTitle").GetString()),
            ];
    }
}
