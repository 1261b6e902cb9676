using System.Globalization;
using Dunlin.Worlds.Tests.Histories;

namespace Dunlin.Worlds.Tests.Load;

/// <summary>Publishes events with increasing numbers. After an unknown outcome it repeats the request with its key, or continues.</summary>
internal sealed class Publisher(History history, string name, IReadOnlyList<Func<Uri>> addresses, Random random) : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(4);

    // Answers are slow or missing in some worlds; the run must end.
    private const int Repetitions = 200;

    private readonly ApiPool _apis = new(name, addresses, random);

    public async Task RunAsync(CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
            await PublishAsync(string.Create(CultureInfo.InvariantCulture, $"{name}:{number}"), random.Next(2) == 0, stop);
    }

    public void Dispose() => _apis.Dispose();

    /// <summary>Publishes one event until the server acknowledges it.</summary>
    public async Task PublishAsync(string id, bool isRepeated, CancellationToken stop)
    {
        history.Begin(id);
        for (var attempt = 0; attempt < Repetitions; attempt++)
        {
            var answer = await _apis.SendAsync(
                HttpMethod.Post,
                "/dunlin/v1/events",
                new
                {
                    topic = string.Create(CultureInfo.InvariantCulture, $"worlds/{random.Next(3)}"),
                    type = "e",
                    data = new { id },
                },
                ("Idempotency-Key", id)
            );
            var outcome = Api.Conclude(history, id, answer);
            await Task.Delay(Pace, TimeProvider.System, CancellationToken.None);
            if (outcome == Outcome.Acknowledged)
                return;
            if (outcome == Outcome.Refused && attempt == 0 && !isRepeated)
            {
                history.Refuse(id);
                return;
            }
            if (outcome == Outcome.Unknown && !isRepeated)
                return;
            if (stop.IsCancellationRequested)
                return;
        }
    }
}
