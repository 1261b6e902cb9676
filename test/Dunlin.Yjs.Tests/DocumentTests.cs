using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Dunlin.DurableStreams;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Yjs.Tests;

/// <summary>The endpoints of documents: entries, snapshots, rights and wrong requests.</summary>
public abstract class DocumentTests
{
    private const string Note = "/api/yjs/notes/1";

    [Fact]
    public async Task Reader_gets_updates_in_order_and_continues_after_an_offset()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        await AppendAsync(ann, 1, 1);
        var second = await AppendAsync(ann, 2, 2);
        await AppendAsync(ann, 3, 3);
        var (entries, offset) = await ReadAsync(ann);
        Assert.Equal([(1, 1), (1, 2), (1, 3)], entries.Select(entry => (entry.Kind, (int)entry.Data[0])));
        Assert.Equal([3], (await ReadAsync(ann, second)).Entries.Select(entry => (int)entry.Data[0]));
        Assert.Empty((await ReadAsync(ann, offset)).Entries);
    }

    [Fact]
    public async Task Unknown_document_is_empty()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        var (entries, offset) = await ReadAsync(ann);
        Assert.Empty(entries);
        Assert.Equal(0, offset);
    }

    [Fact]
    public async Task Snapshot_replaces_the_entries_that_it_has_and_no_later_one()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        await AppendAsync(ann, 1, 1);
        var covered = await AppendAsync(ann, 2, 2);
        await AppendAsync(ann, 3, 3);
        await CompactAsync(ann, covered, 9, 9);
        await AppendAsync(ann, 4, 4);
        var (entries, _) = await ReadAsync(ann);
        Assert.Equal([(1, 3), (2, 9), (1, 4)], entries.Select(entry => (entry.Kind, (int)entry.Data[0])));
        // A reader that is behind the snapshot gets all entries.
        Assert.Equal(3, (await ReadAsync(ann, covered - 1)).Entries.Count);
        Assert.Equal(3, (await ReadAsync(ann, covered)).Entries.Count);
    }

    [Fact]
    public async Task Late_snapshot_changes_nothing()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        var first = await AppendAsync(ann, 1, 1);
        var second = await AppendAsync(ann, 2, 2);
        var tail = await CompactAsync(ann, second, 8, 8);
        Assert.Equal(tail, await CompactAsync(ann, second, 9, 9));
        Assert.Equal(tail, await CompactAsync(ann, first, 9, 9));
        Assert.Equal([8], (await ReadAsync(ann)).Entries.Select(entry => (int)entry.Data[0]));
    }

    [Fact]
    public async Task Large_update_comes_back_whole_and_as_events_that_can_be_joined()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        await using var stream = await host.OpenAsync("/dunlin/v1/events?topic=notes/1", user: "ann");
        var update = Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7 + 1)).ToArray();
        await AppendAsync(ann, update);
        Assert.Equal(update, Assert.Single((await ReadAsync(ann)).Entries).Data);
        await stream.WhenAsync(events => events.Count(item => item.EventType == "stream.append") == 4);
        var pieces = stream
            .Received.Where(item => item.EventType == "stream.append")
            .SelectMany(item => Convert.FromBase64String(item.Data));
        Assert.Equal(update, Parse([.. pieces]).Single().Data);
    }

    [Fact]
    public async Task Hundred_thousand_updates_and_a_snapshot_open_in_two_entries()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        await AppendAsync(ann, 1, 1);
        byte[] entry = [1, 0, 0, 0, 2, 5, 5];
        for (var batch = 0; batch < 100; batch++)
        {
            await host.Store.WriteAsync(
                async (unit, ct) =>
                {
                    var append = new StreamAppend { Messages = [.. Enumerable.Repeat(new ReadOnlyMemory<byte>(entry), 1_000)] };
                    await unit.Streams.AppendAsync(TopicName.Parse("notes/1"), append, ct);
                }
            );
        }
        var (all, tail) = await ReadAsync(ann);
        Assert.Equal(100_001, all.Count);
        await CompactAsync(ann, tail, 8, 8);
        await AppendAsync(ann, 2, 2);
        Assert.Equal([8, 2], (await ReadAsync(ann)).Entries.Select(each => (int)each.Data[0]));
    }

    [Fact]
    public async Task Reader_without_the_right_to_write_opens_and_changes_nothing()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var offset = await AppendAsync(ann, 1, 1);
        Assert.Single((await ReadAsync(bob)).Entries);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(bob, HttpMethod.Post, Note, [2, 2]));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(bob, HttpMethod.Put, $"{Note}?through={offset}", [2, 2]));
        Assert.Single((await ReadAsync(ann)).Entries);
    }

    [Fact]
    public async Task Nobody_and_users_without_rights_are_refused()
    {
        await using var host = await StartAsync();
        using var nobody = host.Client();
        using var eve = host.Client("eve");
        foreach (var (client, status) in new[] { (nobody, HttpStatusCode.Unauthorized), (eve, HttpStatusCode.Forbidden) })
        {
            Assert.Equal(status, await StatusAsync(client, HttpMethod.Get, Note));
            Assert.Equal(status, await StatusAsync(client, HttpMethod.Post, Note, [1, 1]));
            Assert.Equal(status, await StatusAsync(client, HttpMethod.Put, $"{Note}?through=1", [1, 1]));
        }
    }

    [Theory]
    [InlineData("POST", Note, 0, HttpStatusCode.BadRequest)]
    [InlineData("POST", Note, 1, HttpStatusCode.BadRequest)]
    [InlineData("POST", Note, 5_000, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("PUT", Note, 4, HttpStatusCode.BadRequest)]
    [InlineData("PUT", Note + "?through=x", 4, HttpStatusCode.BadRequest)]
    [InlineData("PUT", Note + "?through=999999", 4, HttpStatusCode.BadRequest)]
    [InlineData("PUT", Note + "?through=1", 5_000, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("PUT", "/api/yjs/notes/2?through=1", 4, HttpStatusCode.NotFound)]
    [InlineData("GET", Note + "?after=-1", 0, HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/yjs/notes//1", 0, HttpStatusCode.BadRequest)]
    public async Task Wrong_request_is_refused(string method, string path, int bytes, HttpStatusCode status)
    {
        await using var host = await StartAsync(options => (options.MaxUpdateBytes, options.MaxSnapshotBytes) = (4_096, 4_096));
        using var ann = host.Client("ann");
        await AppendAsync(ann, 1, 1);
        Assert.Equal(
            status,
            await StatusAsync(
                ann,
                new HttpMethod(method),
                path,
                new byte[bytes]
                    .Select(_ => (byte)7)
                    .ToArray()
            )
        );
        Assert.Single((await ReadAsync(ann)).Entries);
    }

    [Fact]
    public async Task Empty_update_is_refused()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(ann, HttpMethod.Post, Note, [0, 0]));
    }

    [Fact]
    public async Task Stream_of_another_content_type_is_no_document()
    {
        await using var host = await StartAsync();
        using var ann = host.Client("ann");
        await host.Store.WriteAsync(
            async (unit, ct) =>
                await unit.Streams.CreateAsync(TopicName.Parse("notes/1"), new StreamSettings { ContentType = "text/plain" }, ct)
        );
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(ann, HttpMethod.Get, Note));
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(ann, HttpMethod.Post, Note, [1, 1]));
    }

    protected abstract DunlinBuilder AddStore(DunlinBuilder dunlin, string folder);

    private protected Task<DunlinTestHost> StartAsync(Action<YjsOptions>? configure = null) =>
        DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin => AddStore(dunlin, options.Folder).AddYjs(configure).AddAccessPolicy<NoteAccess>("notes");
            options.Map = app => app.MapYjs("/api/yjs");
        });

    private protected static Task<long> AppendAsync(HttpClient client, params byte[] update) =>
        SendAsync(client, HttpMethod.Post, Note, update);

    private protected static Task<long> CompactAsync(HttpClient client, long through, params byte[] state) =>
        SendAsync(client, HttpMethod.Put, $"{Note}?through={through}", state);

    private static async Task<long> SendAsync(HttpClient client, HttpMethod method, string path, byte[] body)
    {
        using var request = RequestOf(method, path, body);
        using var answer = await client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return OffsetOf(answer);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path, byte[]? body = null)
    {
        using var request = RequestOf(method, path, body);
        using var answer = await client.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        return answer.StatusCode;
    }

    private static HttpRequestMessage RequestOf(HttpMethod method, string path, byte[]? body)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null && method != HttpMethod.Get)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }
        return request;
    }

    private protected static async Task<(List<(int Kind, byte[] Data)> Entries, long Offset)> ReadAsync(
        HttpClient client,
        long? after = null
    )
    {
        using var answer = await client.GetAsync(new Uri(after is null ? Note : $"{Note}?after={after}", UriKind.Relative));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (Parse(await answer.Content.ReadAsByteArrayAsync()), OffsetOf(answer));
    }

    private static long OffsetOf(HttpResponseMessage answer) =>
        long.Parse(answer.Headers.GetValues("Dunlin-Offset").Single(), System.Globalization.CultureInfo.InvariantCulture);

    private static List<(int Kind, byte[] Data)> Parse(byte[] body)
    {
        var entries = new List<(int, byte[])>();
        for (var at = 0; at < body.Length; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at + 1));
            entries.Add((body[at], body[(at + 5)..(at + 5 + length)]));
            at += 5 + length;
        }
        return entries;
    }

    // ann writes, bob reads.
    private sealed class NoteAccess : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(caller.UserId is "ann" or "bob");

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(caller.UserId == "ann");
    }
}

/// <summary>The documents in SQLite, or with <c>DUNLIN_TEST_STORE=postgres</c> in PostgreSQL.</summary>
public sealed class StoredDocumentTests : DocumentTests
{
    protected override DunlinBuilder AddStore(DunlinBuilder dunlin, string folder) => dunlin.AddTestStore(folder, "notes.db");

    [Fact]
    public async Task Restart_keeps_updates_and_snapshots()
    {
        await using var host = await StartAsync();
        long offset;
        using (var ann = host.Client("ann"))
        {
            await CompactAsync(ann, await AppendAsync(ann, 1, 1), 8, 8);
            offset = await AppendAsync(ann, 2, 2);
        }
        await host.RestartAsync();
        using var again = host.Client("ann");
        var (entries, tail) = await ReadAsync(again);
        Assert.Equal([8, 2], entries.Select(entry => (int)entry.Data[0]));
        Assert.Equal(offset, tail);
    }
}

/// <summary>The documents in the in-memory store.</summary>
[Trait("Store", "own")]
public sealed class InMemoryDocumentTests : DocumentTests
{
    protected override DunlinBuilder AddStore(DunlinBuilder dunlin, string folder) => dunlin.AddInMemory();
}
