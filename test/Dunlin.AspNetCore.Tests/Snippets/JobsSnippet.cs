using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Records;
using Dunlin.Topics;
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

    public static async Task ShareAsync(IServiceCollection services, IUnitOfWork unit, Order order, Caller caller, CancellationToken ct)
    {
        // <jobs-fairness>
        services
            .AddDunlin()
            .AddSqlite("data/app.db")
            .AddJobHandler<Import, Order>(
                "import",
                options =>
                {
                    options.MaxParallel = 16;
                    options.MaxParallelPerFairnessKey = 2;
                    options.MaxParallelPerConcurrencyKey = 4;
                }
            );

        await unit.Jobs().EnqueueAsync("import", order, new JobRequest { FairnessKey = caller.UserId, ConcurrencyKey = order.Host }, ct);
        // </jobs-fairness>
    }

    public static async Task FetchAsync(string[] networks, Uri url, CancellationToken ct)
    {
        // <jobs-outbound>
        var rules = new OutboundRules(networks);
        if (!rules.AllowsHost(url))
            throw new JobFailedException("address_refused", isFinal: true);

        using var client = new HttpClient(OutboundHandler.Create(rules));
        using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, ct);
        // </jobs-outbound>
    }

    internal sealed record Order(string Id, string Host);

    internal sealed record Mail(string OrderId);

    internal sealed class SendMail : IJobHandler<Mail>
    {
        public ValueTask RunAsync(JobRun<Mail> run, CancellationToken cancellationToken) => run.CompleteAsync(null, cancellationToken);
    }

    internal sealed class Import : IJobHandler<Order>
    {
        public ValueTask RunAsync(JobRun<Order> run, CancellationToken cancellationToken) => run.CompleteAsync(null, cancellationToken);
    }
}
