using System.Runtime.CompilerServices;
using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>Reads jobs in one snapshot. Not thread-safe. Does not authorise: the application decides who may see jobs.</summary>
public sealed class JobReader
{
    private readonly IRecordTable _records;

    internal JobReader(IRecordTable records) => _records = records;

    /// <summary>Returns a job; null if it does not exist or was removed.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="id">The id of the job within its type.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<JobInfo?> FindAsync(string type, string id, CancellationToken cancellationToken = default) =>
        await _records.FindAsync(JobSpaces.Of(type), id, cancellationToken) is { IsDeleted: false } row ? JobSpaces.Read(row) : null;

    /// <summary>Returns the jobs of a type in one state, least recently changed first. For operators: reads all jobs of the type.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="state">The state; null for all states.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<IReadOnlyList<JobInfo>> ListAsync(
        string type,
        JobState? state = null,
        CancellationToken cancellationToken = default
    )
    {
        var jobs = new List<JobInfo>();
        await foreach (var job in EnumerateAsync(type, cancellationToken))
        {
            if (state is null || job.State == state)
                jobs.Add(job);
        }
        return jobs;
    }

    /// <summary>Enumerates all jobs of a type, least recently changed first, page by page. For operators that count many jobs without
    /// holding them in memory.</summary>
    /// <param name="type">The job type.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async IAsyncEnumerable<JobInfo> EnumerateAsync(
        string type,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        RecordRow? last = null;
        while (true)
        {
            var page = await _records.ReadAsync(
                new RecordQuery(JobSpaces.Of(type), last?.Version ?? 0, last?.Key, LivingOnly: true),
                cancellationToken
            );
            foreach (var row in page)
                yield return JobSpaces.Read(row);
            if (page.Count < RecordLimits.MaxPageRecords)
                yield break;
            last = page[^1];
        }
    }
}
