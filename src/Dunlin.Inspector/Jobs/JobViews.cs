using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dunlin.Inspector.Jobs;

/// <summary>Serves the jobs of the store: counts by type and state, and a list. Retries and cancels jobs. The types are those of this
/// node; null if it runs none.</summary>
internal sealed partial class JobViews(IStore store, ILogger<JobViews> logger, JobTypes? types)
{
    /// <summary>The largest number of jobs of one type that one request reads.</summary>
    private const int MaxRead = 20_000;

    /// <summary>Serves <c>GET api/jobs?type=&amp;state=&amp;limit=</c>.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var (type, state) = (QueryText.Of(context, "type"), StateOf(QueryText.Of(context, "state")));
        var limit = QueryText.Number(context, "limit", 200, 1, 1_000);
        var counts = new List<JobCounts>();
        var jobs = new List<JobRow>();
        foreach (var name in types?.Names ?? [])
            counts.Add(
                await CountAsync(name, type is null || type == name ? job => Take(job, state, limit, jobs) : null, context.RequestAborted)
            );
        await context.Response.WriteAsJsonAsync(
            new JobList(counts, jobs),
            InspectorJson.Default.JobList,
            cancellationToken: context.RequestAborted
        );
    }

    /// <summary>Serves <c>POST api/jobs/retry {type, id}</c> for a dead job.</summary>
    public async Task RetryAsync(HttpContext context)
    {
        var body = await InspectorBody.ReadAsync(context, InspectorJson.Default.JobBody);
        await store.WriteAsync((unit, ct) => unit.Jobs().RetryAsync(body.Type, body.Id, ct), context.RequestAborted);
        LogChanged(context.RequireCaller().UserId, "retried", body.Type, body.Id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Serves <c>POST api/jobs/cancel {type, id}</c> for a job in any state.</summary>
    public async Task CancelAsync(HttpContext context)
    {
        var body = await InspectorBody.ReadAsync(context, InspectorJson.Default.JobBody);
        if (!await store.WriteAsync((unit, ct) => unit.Jobs().CancelAsync(body.Type, body.Id, ct), context.RequestAborted))
            throw new DunlinException(ErrorCode.NotFound, $"No job of type '{body.Type}' with id '{body.Id}'.");
        LogChanged(context.RequireCaller().UserId, "cancelled", body.Type, body.Id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private ValueTask<JobCounts> CountAsync(string type, Action<JobInfo>? take, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                var counts = new int[4];
                var read = 0;
                await foreach (var job in scope.Jobs().EnumerateAsync(type, ct))
                {
                    if (++read > MaxRead)
                        break;
                    counts[(int)job.State]++;
                    take?.Invoke(job);
                }
                return new JobCounts(
                    type,
                    counts[(int)JobState.Waiting],
                    counts[(int)JobState.Running],
                    counts[(int)JobState.Done],
                    counts[(int)JobState.Dead],
                    read > MaxRead
                );
            },
            cancellationToken
        );

    private static void Take(JobInfo job, JobState? state, int limit, List<JobRow> jobs)
    {
        if (jobs.Count < limit && (state is null || job.State == state))
            jobs.Add(JobRow.Of(job));
    }

    private static JobState? StateOf(string? text) =>
        text is null ? null
        : Enum.TryParse<JobState>(text, ignoreCase: true, out var state) && !char.IsAsciiDigit(text[0]) ? state
        : throw new DunlinException(ErrorCode.InvalidField, "'state' must be 'waiting', 'running', 'done' or 'dead'.", "state");

    [LoggerMessage(6002, LogLevel.Warning, "Administrator {UserId} {Action} the job {Type}/{Id}.")]
    private partial void LogChanged(PeerText userId, PeerText action, PeerText type, PeerText id);
}

internal sealed record JobBody(string Type, string Id);

/// <param name="Type">The job type.</param>
/// <param name="Waiting">The number of waiting jobs.</param>
/// <param name="Running">The number of running jobs.</param>
/// <param name="Done">The number of completed jobs.</param>
/// <param name="Dead">The number of dead jobs.</param>
/// <param name="HasMore">Whether there are more jobs than one request counts.</param>
internal sealed record JobCounts(string Type, int Waiting, int Running, int Done, int Dead, bool HasMore);

internal sealed record JobList(IReadOnlyList<JobCounts> Types, IReadOnlyList<JobRow> Jobs);

internal sealed record JobRow(
    string Type,
    string Id,
    string State,
    int Attempt,
    DateTimeOffset EnqueuedAt,
    DateTimeOffset DueAt,
    DateTimeOffset? LeaseUntil,
    DateTimeOffset? FinishedAt,
    string? Error,
    string? FairnessKey,
    string? ConcurrencyKey,
    JsonElement Value,
    JsonElement? Progress
)
{
    public static JobRow Of(JobInfo job) =>
        new(
            job.Type,
            job.Id,
            job.State switch
            {
                JobState.Waiting => "waiting",
                JobState.Running => "running",
                JobState.Done => "done",
                _ => "dead",
            },
            job.Attempt,
            job.EnqueuedAt,
            job.DueAt,
            job.LeaseUntil,
            job.FinishedAt,
            job.Error,
            job.FairnessKey,
            job.ConcurrencyKey,
            job.Value,
            job.Progress
        );
}
