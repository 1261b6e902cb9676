using System.Text;
using Dapper;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Journal;

namespace Dunlin.Apps.Documents;

/// <summary>Demo data: three collections of small texts written for this project. Skips a database that already has collections.</summary>
public static class DocumentsDemo
{
    private static readonly Collection[] Collections =
    [
        new("letters", "Harbour letters"),
        new("minutes", "Society minutes"),
        new("personnel", "Personnel files"),
    ];

    // The versions of a document, oldest first. One may be the gold standard.
    private static readonly Sample[] Samples =
    [
        new(
            "letters",
            "Letter to the harbour master, 1871",
            "harbour-letter.pdf",
            [
                new("harbour-letter-1.xml", "First transcription", "bob"),
                new("harbour-letter-2.xml", "Names and dates marked", "bob", IsGold: true),
                new("harbour-letter-3.xml", "Line ends checked", "carol"),
            ]
        ),
        new("letters", "Postcard from the lighthouse", null, [new("postcard-1.xml", "First transcription", "carol")]),
        new(
            "minutes",
            "Minutes of the bird society, March",
            null,
            [new("minutes-1.xml", "As dictated", "bob"), new("minutes-2.xml", "Resolutions marked", "bob", IsGold: true)]
        ),
        new("personnel", "Testimonial for a keeper", null, [new("testimonial-1.xml", "First transcription", "carol")]),
    ];

    /// <summary>Seeds the collections, their documents and members.</summary>
    /// <param name="store">The store.</param>
    /// <param name="members">User ids by collection: <c>letters</c>, <c>minutes</c>, <c>personnel</c>.</param>
    /// <param name="names">Full names by user id, for the owners.</param>
    /// <param name="cancellationToken">Cancels the complete seeding.</param>
    public static ValueTask SeedAsync(
        IStore store,
        IReadOnlyDictionary<string, IReadOnlyList<string>> members,
        IReadOnlyDictionary<string, string> names,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                if (
                    await unit.Connection.ExecuteScalarAsync<long>(
                        "SELECT COUNT(*) FROM documents_collection",
                        transaction: unit.Transaction
                    ) > 0
                )
                    return;
                foreach (var collection in Collections)
                {
                    await unit.Connection.ExecuteAsync(
                        "INSERT INTO documents_collection (id, name) VALUES (@Id, @Name)",
                        collection,
                        unit.Transaction
                    );
                    foreach (var userId in members.GetValueOrDefault(collection.Id) ?? [])
                        await CollectionRows.SetMemberAsync(unit, collection.Id, userId, isMember: true);
                }
                foreach (var sample in Samples)
                    await AddAsync(unit, sample, id => names.GetValueOrDefault(id) ?? id, ct);
            },
            cancellationToken
        );

    private static async ValueTask AddAsync(
        IUnitOfWork unit,
        Sample sample,
        Func<string, string> nameOf,
        CancellationToken cancellationToken
    )
    {
        var document = (Id: DocumentSaves.NewId(), sample.CollectionId, sample.Title);
        await DocumentRows.InsertDocumentAsync(unit, document.Id, document.CollectionId, document.Title);
        if (sample.Source is not null)
        {
            await DocumentSaves.InsertAsync(
                unit,
                document,
                (FileKind.Source, ""),
                ("alice", nameOf("alice")),
                isGold: false,
                "",
                Content(sample.Source),
                null,
                cancellationToken
            );
        }
        foreach (var version in sample.Versions)
        {
            var content = Content(version.Resource);
            DocumentXml.Check(Encoding.UTF8.GetString(content));
            await DocumentSaves.InsertAsync(
                unit,
                document,
                (FileKind.Text, "tei"),
                (version.OwnerId, nameOf(version.OwnerId)),
                version.IsGold,
                version.Label,
                content,
                null,
                cancellationToken
            );
        }
    }

    private static byte[] Content(string resource)
    {
        using var stream =
            typeof(DocumentsDemo).Assembly.GetManifestResourceStream("Dunlin.Apps.Documents.Samples." + resource)
            ?? throw new InvalidOperationException($"The sample '{resource}' is not embedded.");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private sealed record Sample(string CollectionId, string Title, string? Source, IReadOnlyList<SampleVersion> Versions);

    private sealed record SampleVersion(string Resource, string Label, string OwnerId, bool IsGold = false);
}
