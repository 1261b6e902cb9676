using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Documents.Locks;
using Dunlin.Apps.Documents.Search;
using Dunlin.Apps.Documents.SharedDrafts;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Documents;

/// <summary>Registers the documents: XML texts in collections, with locks, hand-over, versions and gold standards.</summary>
public static class DocumentsApp
{
    private static readonly string[] Roots = [DocumentNames.Root, DocumentNames.Users, DocumentNames.Notices];

    /// <summary>Adds tables, access policies, lock announcements and services.</summary>
    public static DunlinBuilder AddDocuments(this DunlinBuilder builder)
    {
        builder.AddSchema("documents", typeof(DocumentsApp).Assembly, "Dunlin.Apps.Documents.Schema.");
        builder.AddAccessPolicy<DocumentAccess>(DocumentNames.Root);
        builder.AddAccessPolicy<OwnTopicAccess>(DocumentNames.Users);
        builder.AddAccessPolicy<NoticesAccess>(DocumentNames.Notices);
        builder.AddYjs(SharedDraftEndpoints.Configure);
        builder.AddAccessPolicy<SharedDraftAccess>(DocumentNames.Drafts);
        builder.AddLeaseAnnouncer<FileLockAnnouncer>(DocumentNames.Root);
        builder.Services.Configure<RetentionOptions>(options =>
        {
            foreach (var root in Roots)
                options.Prefixes[root] = new RetentionRule { MaxAge = TimeSpan.FromDays(2), MaxCount = 50_000 };
        });
        builder.Services.AddSingleton<LockIds>();
        builder.Services.AddSingleton<FileLocks>();
        builder.Services.AddSingleton<SharedDraftService>();
        builder.Services.AddSingleton<DocumentReads>();
        builder.Services.AddSingleton<DocumentSaves>();
        builder.Services.AddSingleton<LargeBodies>();
        builder.Services.AddSingleton<DocumentDeletion>();
        builder.Services.AddSingleton<DocumentStream>();
        builder.Services.AddSingleton<AdminEndpoints>();
        builder.Services.AddSingleton<TextSearch>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<AdminEndpoints>());
        builder.Services.AddHostedService<TextIndex>();
        return builder;
    }

    /// <summary>Maps <c>/api/v1/files</c>, <c>/api/v1/admin</c>, <c>/api/v1/shared-drafts</c> and <c>/api/v1/sse/subscribe</c>.</summary>
    public static void MapDocuments(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1").WithTags("Documents");
        FileEndpoints.Map(group);
        TextSearch.Map(group);
        LockEndpoints.Map(group);
        SharedDraftEndpoints.Map(endpoints, group);
        AdminEndpoints.Map(group);
        endpoints.MapEventStream(
            "/api/v1/sse/subscribe",
            http => http.RequestServices.GetRequiredService<DocumentStream>().ServeAsync(http)
        );
    }
}
