using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Focus.Tests;

/// <summary>The whole system under random use: three devices with streams, restarts, and a wall clock that jumps.</summary>
public sealed class TimerPropertyTests
{
    private static readonly string[] DeviceIds = ["laptop", "phone", "tablet"];
    private static readonly string[] Commands =
    [
        "start",
        "start",
        "start",
        "pause",
        "resume",
        "resume",
        "skip-break",
        "complete",
        "cancel",
        "move",
        "move",
    ];

    [Fact]
    public async Task Three_devices_agree_on_one_timer_and_minutes_are_logged_once()
    {
        var random = TestSeed.NewRandom(out var seed);
        for (var run = 0; run < 6; run++)
        {
            await using var simulation = await Simulation.StartAsync(new Random(random.Next()), $"DUNLIN_SEED={seed}, run {run}");
            await simulation.RunAsync(120);
        }
    }

    private sealed class Simulation(Random random, string which, FocusHost host, string task) : IAsyncDisposable
    {
        private readonly List<Replica> _replicas = [];
        private readonly List<string> _log = [];
        private string _timerId = "none";
        private int _started;

        public static async Task<Simulation> StartAsync(Random random, string which)
        {
            var host = await FocusHost.StartAsync();
            using var laptop = host.Client();
            var simulation = new Simulation(random, which, host, await laptop.TaskAsync("Write"));
            foreach (var device in DeviceIds)
                simulation._replicas.Add(await Replica.OpenAsync(host, device, null));
            return simulation;
        }

        public async Task RunAsync(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                switch (random.Next(20))
                {
                    case 0:
                        await RestartAsync();
                        break;
                    case 1:
                        host.Time.StepWallClock(TimeSpan.FromMinutes(random.Next(-600, 600)));
                        _log.Add("wall clock stepped");
                        break;
                    case < 9:
                        await host.AdvanceAsync(TimeSpan.FromSeconds(random.Next(random.Next(4) == 0 ? 7_000 : 600)));
                        break;
                    default:
                        await CommandAsync();
                        break;
                }
            }
            await CheckAsync();
        }

        private async Task CommandAsync()
        {
            using var device = host.Client(DeviceIds[random.Next(3)]);
            var command = Commands[random.Next(Commands.Length)];
            // Sometimes repeats the same request concurrently, as a client without an answer does.
            var copies = random.Next(4) == 0 ? 3 : 1;
            var body =
                command == "start"
                    ? (object)
                        new
                        {
                            taskId = task,
                            timerId = $"t{_started}",
                            mode = random.Next(2) == 0 ? "pomodoro" : "normal",
                        }
                : command == "move" ? new { targetDeviceId = DeviceIds[random.Next(3)] }
                : random.Next(2) == 0 ? new { timerId = _timerId }
                : new { };
            var answers = await Task.WhenAll(
                Enumerable.Range(0, copies).Select(_ => device.SendAsync("POST", "/api/timer/" + command, body))
            );
            Assert.All(answers, a => Assert.True(a.Status is 200 or 409, $"{which}: {command}: {a.Status} {a.Body}"));
            _log.Add($"{command} {string.Join(' ', answers.Select(a => a.Status))}");
            if (command == "start" && answers.Any(a => a.Status == 200))
                (_timerId, _started) = ($"t{_started}", _started + 1);
        }

        private async Task RestartAsync()
        {
            foreach (var replica in _replicas)
                await replica.CloseAsync();
            await host.RestartAsync(
                TimeSpan.FromMinutes(
                    random.Next(3) switch
                    {
                        0 => -random.Next(300),
                        1 => random.Next(300),
                        _ => 0,
                    }
                )
            );
            for (var i = 0; i < _replicas.Count; i++)
                _replicas[i] = await Replica.OpenAsync(host, DeviceIds[i], _replicas[i]);
            _log.Add("restarted");
        }

        private async Task CheckAsync()
        {
            await host.SettledAsync();
            using var laptop = host.Client();
            var now = await laptop.TimerAsync();
            // After this last event every replica has received everything.
            await laptop.TaskAsync("The end");
            foreach (var replica in _replicas)
            {
                await replica.CatchUpAsync("The end");
                Assert.True(
                    replica.Timer == Text(now.GetProperty("timer")),
                    $"{which}: {replica.Device} shows {replica.Timer}, the server says {now}; {string.Join("; ", _log)}"
                );
                Assert.True(
                    replica.Ended.Count == replica.Ended.Distinct().Count(),
                    $"{which}: ended twice: {string.Join(' ', replica.Ended)}"
                );
                Assert.Equal(_replicas[0].Ended, replica.Ended);
            }
            var sessions = (await laptop.OkAsync("GET", "/api/timer/sessions")).EnumerateArray().ToList();
            var logged = sessions.Sum(s => s.GetProperty("loggedMs").GetInt64());
            Assert.All(
                sessions,
                s =>
                    Assert.True(
                        s.GetProperty("focusedMs").GetInt64() is >= 0 and <= 86_400_000 && s.GetProperty("pausedMs").GetInt64() >= 0,
                        $"{which}: {s}"
                    )
            );
            Assert.All(
                sessions,
                s =>
                    Assert.Equal(
                        s.GetProperty("outcome").GetString() == "cancelled" ? 0 : s.GetProperty("focusedMs").GetInt64(),
                        s.GetProperty("loggedMs").GetInt64()
                    )
            );
            if (sessions.Count < 50)
                Assert.True(
                    logged == (await laptop.TaskNowAsync(task)).GetProperty("loggedMs").GetInt64(),
                    $"{which}: the task and its sessions differ"
                );
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var replica in _replicas)
                await replica.CloseAsync();
            await host.DisposeAsync();
        }
    }

    /// <summary>The state that one device derives from its stream alone.</summary>
    private sealed class Replica(string device, EventStreamReader<Envelope> reader)
    {
        public string Device => device;

        public string? Timer { get; private set; }

        public List<string> Ended { get; private init; } = [];

        public static async Task<Replica> OpenAsync(FocusHost host, string device, Replica? before)
        {
            var reader = await host.OpenAsync(device, lastEventId: before?.LastId);
            return new Replica(device, reader)
            {
                Timer = before?.Timer,
                Ended = before?.Ended ?? [],
                LastId = before?.LastId ?? reader.LastId,
            };
        }

        public string? LastId { get; private set; }

        public async Task CloseAsync() => await reader.DisposeAsync();

        public async Task CatchUpAsync(string lastTask)
        {
            while (true)
            {
                var frame = await reader.NextAsync();
                LastId = frame.Id ?? LastId;
                if (frame.Name == "tasks:created" && frame.Payload.GetProperty("task").GetProperty("title").GetString() == lastTask)
                    return;
                if (frame.Channel != "timer")
                    continue;
                // Relies on the order of the stream, without comparing versions.
                if (frame.Type == "stopped")
                {
                    Ended.Add(frame.Payload.GetProperty("id").GetString()!);
                    Timer = null;
                    continue;
                }
                var timer = frame.Payload.GetProperty("timer");
                var running = Timer is null ? null : JsonDocument.Parse(Timer).RootElement.GetProperty("id").GetString();
                Assert.True(running is null || running == timer.GetProperty("id").GetString(), $"a second timer: {timer} beside {Timer}");
                Timer = Text(timer);
            }
        }
    }

    // Normalizes a state as a page does: an event holds it as of its own time, an answer as of a later one.
    private static string? Text(JsonElement timer)
    {
        if (timer.ValueKind == JsonValueKind.Null)
            return null;
        var status = timer.GetProperty("status").GetString()!;
        var asOf = timer.GetProperty("asOf").GetDateTimeOffset().ToUnixTimeMilliseconds();
        long Number(string name) => timer.GetProperty(name).GetInt64();
        return JsonSerializer.Serialize(
            new
            {
                id = timer.GetProperty("id").GetString(),
                version = Number("version"),
                status,
                device = timer.GetProperty("deviceId").GetString(),
                pauses = Number("pauses"),
                cycle = timer.GetProperty("pomodoroState") is { ValueKind: JsonValueKind.Object } pomodoro
                    ? pomodoro.GetProperty("cycle").GetInt32()
                    : 0,
                endsOrLeft = Number("remainingMs") + (status == "paused" ? 0 : asOf),
                focused = Number("focusedMs") - (status == "running" ? asOf : 0),
                paused = Number("pausedMs") - (status == "paused" ? asOf : 0),
            }
        );
    }
}
