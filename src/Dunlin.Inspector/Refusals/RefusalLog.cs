using Dunlin.Diagnostics;
using Dunlin.Inspector.Cluster;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Refusals;

/// <summary>Remembers the refusals of the last minutes on this node, and serves those of all nodes. Equal refusals are one entry with a
/// count. Thread-safe.</summary>
internal sealed class RefusalLog(NodeQueries nodes, TimeProvider time, IOptions<InspectorOptions> options)
    : IRefusalObserver,
        IHostedService
{
    /// <summary>The age at which a refusal is no longer shown.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

    /// <summary>The entries among which an equal one is looked for, so that a client that repeats its request fills no list.</summary>
    private const int MergeDepth = 64;

    private const int Shown = 200;
    private const int MaxText = 300;

    private readonly Ring<Refusal> _entries = new(options.Value.MaxEntries);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        nodes.Answer("refusals", InspectorJson.Default.String, InspectorJson.Default.RefusalList, _ => new(Recent(Shown), []));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void OnRefused(HttpContext context, DunlinException problem, string traceId)
    {
        var credential = context.Features.Get<CredentialRefusal>();
        Add(
            new Refusal
            {
                Kind = problem.Code.Status == StatusCodes.Status401Unauthorized ? "unauthorized" : "forbidden",
                Status = problem.Code.Status,
                Code = problem.Code.Code,
                Detail = Cut(problem.Message),
                UserId = context.User.Identities.FirstOrDefault(one => one.IsAuthenticated)?.FindFirst(DunlinClaims.UserId)?.Value,
                Topic = problem.Extensions.TryGetValue("topic", out var topic) ? topic?.ToString() : null,
                Origin = OriginOf(context),
                Credential = credential?.Credential,
                Reason = credential?.Reason,
                TraceId = traceId,
            },
            context
        );
    }

    public void OnOriginRefused(HttpContext context, string origin) =>
        Add(
            new Refusal
            {
                Kind = "origin",
                Status = 0,
                Code = HttpMethods.IsOptions(context.Request.Method) ? "cors_preflight" : "cors",
                Detail = "The response has no CORS header for this origin, so the browser hides it from the page.",
                Origin = Cut(origin),
                TraceId = context.TraceIdentifier,
            },
            context
        );

    public IReadOnlyList<Refusal> OfUser(string userId, int limit) => _entries.Newest(limit, entry => entry.UserId == userId);

    /// <summary>Serves <c>GET api/refusals</c>.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var own = Recent(Shown);
        var others = await nodes.AskAsync(
            "refusals",
            "",
            InspectorJson.Default.String,
            InspectorJson.Default.RefusalList,
            context.RequestAborted
        );
        var all = own.Concat(others.Answers.SelectMany(answer => answer.Refusals)).OrderByDescending(entry => entry.LastAt).Take(Shown);
        await context.Response.WriteAsJsonAsync(
            new RefusalList([.. all], others.Silent),
            InspectorJson.Default.RefusalList,
            cancellationToken: context.RequestAborted
        );
    }

    private List<Refusal> Recent(int limit)
    {
        var oldest = time.GetUtcNow() - MaxAge;
        return _entries.Newest(limit, entry => entry.LastAt >= oldest).ConvertAll(RefusalText.Explain);
    }

    private void Add(Refusal refusal, HttpContext context)
    {
        var now = time.GetUtcNow();
        var entry = refusal with
        {
            Node = nodes.Name,
            Method = context.Request.Method,
            // Without the query, which may contain a ticket.
            Path = Cut(context.Request.Path.Value ?? ""),
            Address = context.Connection.RemoteIpAddress?.ToString(),
            FirstAt = now,
            LastAt = now,
        };
        _entries.Merge(
            MergeDepth,
            known => known.IsSameAs(entry),
            known => known with { Count = known.Count + 1, LastAt = now, TraceId = entry.TraceId },
            () => entry
        );
    }

    private static string? OriginOf(HttpContext context) =>
        context.Request.Headers.Origin.ToString() is { Length: > 0 } origin ? Cut(origin) : null;

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText] + "…";
}

internal sealed record RefusalList(IReadOnlyList<Refusal> Refusals, IReadOnlyList<string> Silent);
