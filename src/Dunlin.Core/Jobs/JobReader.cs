using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>Shows jobs to the application, in one snapshot or unit of work. Whether a caller may see them is the application's
/// business. Not for concurrent use.</summary>
public sealed class JobReader
{
    private readonly IRecordTable _records;

    internal JobReader(IRecordTable records) => _records = records;

    /// <summary>One job; null where there is none, or none any more.</summary>
    public async ValueTask<JobInfo?> FindAsync(string type, string id, CancellationToken cancellationToken = default) =>
        await _records.FindAsync(JobSpaces.Of(type), id, cancellationToken) is { IsDeleted: false } row ? JobSpaces.Read(row) : null;

    /// <summary>The jobs of a type in one state, those changed longest ago first: for operators, such as a list of the dead.
    /// Reads every job of the type.</summary>
    public async ValueTask<IReadOnlyList<JobInfo>> ListAsync(
        string type,
        JobState? state = null,
        CancellationToken cancellationToken = default
    )
    {
        var jobs = new List<JobInfo>();
        RecordRow? last = null;
        while (true)
        {
            var page = await _records.ReadAsync(
                new RecordQuery(JobSpaces.Of(type), last?.Version ?? 0, last?.Key, LivingOnly: true),
                cancellationToken
            );
            jobs.AddRange(page.Select(JobSpaces.Read).Where(job => state is null || job.State == state));
            if (page.Count < RecordLimits.MaxPageRecords)
                return jobs;
            last = page[^1];
        }
    }
}
