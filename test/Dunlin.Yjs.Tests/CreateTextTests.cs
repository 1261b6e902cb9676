using System.Net;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Yjs.Tests;

/// <summary>Documents that the server creates with a text.</summary>
public sealed class CreateTextTests
{
    private static readonly TopicName Note = TopicName.Parse("notes/1");

    [Fact]
    public async Task Created_document_has_one_update_that_inserts_the_text()
    {
        await using var host = await StartAsync();
        var text = string.Concat(Enumerable.Repeat("é😀\n", 20_000));
        await CreateAsync(host, text);
        var body = await ReadAsync(host);
        Assert.Equal(1, body[0]);
        var at = 5;
        Assert.Equal([1, 1], body[at..(at + 2)]); // clients, structs
        at += 2;
        Assert.InRange(Number(body, ref at), 0, uint.MaxValue);
        Assert.Equal([0, 4, 1, 4, .. "text"u8], body[at..(at + 8)]); // clock, string without neighbours, name of the root
        at += 8;
        var length = (int)Number(body, ref at);
        Assert.Equal(text, Encoding.UTF8.GetString(body, at, length));
        Assert.Equal([0], body[(at + length)..]); // deletions
    }

    [Fact]
    public async Task Empty_text_creates_an_empty_document()
    {
        await using var host = await StartAsync();
        await CreateAsync(host, "");
        Assert.Empty(await ReadAsync(host));
    }

    [Fact]
    public async Task Second_creation_is_refused_and_changes_nothing()
    {
        await using var host = await StartAsync();
        await CreateAsync(host, "first");
        var refused = await Assert.ThrowsAsync<DunlinException>(() => CreateAsync(host, "second"));
        Assert.Equal(ErrorCode.Conflict, refused.Code);
        Assert.Contains("first", Encoding.UTF8.GetString(await ReadAsync(host)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_unit_of_work_leaves_no_document()
    {
        await using var host = await StartAsync();
        var store = host.Services.GetRequiredService<IStore>();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.CreateYjsTextAsync(Note, "text", "lost", cancellationToken: ct);
                    throw new InvalidOperationException();
                }
            )
        );
        Assert.Empty(await ReadAsync(host));
        await CreateAsync(host, "kept");
    }

    [Fact]
    public async Task Update_creates_no_document_where_only_the_server_does()
    {
        await using var host = await StartAsync(options => options.CreateOnFirstUpdate = false);
        Assert.Equal(HttpStatusCode.NotFound, await EditAsync(host));
        Assert.Empty(await ReadAsync(host));
        await CreateAsync(host, "first");
        Assert.Equal(HttpStatusCode.NoContent, await EditAsync(host));
        await host.Services.GetRequiredService<IStore>().WriteAsync(async (unit, ct) => await unit.Streams.DeleteAsync(Note, ct));
        // An update that was on its way when the document was deleted.
        Assert.Equal(HttpStatusCode.NotFound, await EditAsync(host));
        Assert.Empty(await ReadAsync(host));
    }

    private static Task<DunlinTestHost> StartAsync(Action<YjsOptions>? configure = null) =>
        DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin =>
                dunlin.AddTestStore(options.Folder, "notes.db").AddYjs(configure).AddAccessPolicy<NoteAccess>("notes");
            options.Map = app => app.MapYjs("/api/yjs");
        });

    private static async Task CreateAsync(DunlinTestHost host, string text) =>
        await host
            .Services.GetRequiredService<IStore>()
            .WriteAsync(async (unit, ct) => await unit.CreateYjsTextAsync(Note, "text", text, cancellationToken: ct));

    private static async Task<byte[]> ReadAsync(DunlinTestHost host)
    {
        using var ann = host.Client("ann");
        return await ann.GetByteArrayAsync(new Uri("/api/yjs/notes/1", UriKind.Relative));
    }

    private static async Task<HttpStatusCode> EditAsync(DunlinTestHost host)
    {
        using var ann = host.Client("ann");
        using var update = new ByteArrayContent([1, 1]);
        using var answer = await ann.PostAsync(new Uri("/api/yjs/notes/1", UriKind.Relative), update);
        return answer.StatusCode;
    }

    private static long Number(byte[] bytes, ref int at)
    {
        var number = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[at++];
            number |= (long)(part & 0x7F) << shift;
            if (part < 0x80)
                return number;
        }
    }

    private sealed class NoteAccess : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
