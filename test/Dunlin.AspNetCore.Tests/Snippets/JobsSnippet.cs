using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/concepts/jobs.md, compiled. The test holds the two against each other.</summary>
internal static class JobsSnippet
{
    public static async Task RunAsync(IServiceCollection services, IStore store, SpaceName space, Order order)
    {
        // <jobs>
        services.AddDunlin().AddSqlite("data/app.db").AddJobHandler<SendMail, Mail>("mail", options => options.MaxAttempts = 8);

        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Records().PutAsync(space, order.Id, order, cancellationToken: ct);
                await unit.Jobs().EnqueueAsync("mail", new Mail(order.Id), new JobRequest { Id = order.Id }, ct);
            }
        );
        // </jobs>
    }

    internal sealed record Order(string Id);

    internal sealed record Mail(string OrderId);

    internal sealed class SendMail : IJobHandler<Mail>
    {
        public ValueTask RunAsync(JobRun<Mail> run, CancellationToken cancellationToken) => run.CompleteAsync(null, cancellationToken);
    }
}
