using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dapper;
using Dunlin.Apps.Documents;
using Dunlin.Apps.Documents.Files;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Documents.Tests;

/// <summary>Limits for stored data and memory that one user can occupy.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private static readonly object Large = new
    {
        xml_string = $"<a>{new string('x', 300_000)}</a>",
        collection = "letters",
        title = "Large",
    };

    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("files/import")]
    [InlineData("files/save")]
    public async Task A_user_without_write_permission_is_refused_before_the_body(string path)
    {
        var dave = await _host.SignInAsync("dave");
        using var request = await UnfinishedAsync(dave, path, 30_000_000);
        Assert.StartsWith("HTTP/1.1 403 ", await request.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Concurrent_large_bodies_are_limited_per_user_and_in_total()
    {
        var carol = await _host.SignInAsync("carol");
        using (var first = await UnfinishedAsync(_bob, "files/import", 31_000_000))
        using (var second = await UnfinishedAsync(_bob, "files/save", 31_000_000))
        {
            await InFlightAsync(62_000_000);
            var refused = await ImportAsync(_bob);
            Assert.Equal(2, refused.Is(429, "too_many_requests").Number("limit"));
            Assert.Equal("2", refused.Headers.GetValues("Retry-After").Single());
            // Another user still has room for typical bodies, but not for a third large one.
            (await ImportAsync(carol)).Ok();
            using var third = await UnfinishedAsync(carol, "files/import", 31_000_000);
            Assert.StartsWith("HTTP/1.1 429 ", await third.ReadLineAsync(), StringComparison.Ordinal);
            // A small body needs no slot, with or without a declared length.
            (
                await _bob.PostAsync(
                    "files/import",
                    new
                    {
                        xml_string = "<a/>",
                        collection = "letters",
                        title = "Small",
                    }
                )
            ).Ok();
            Assert.Equal(62_000_000, _host.Services.GetRequiredService<LargeBodies>().BytesInFlight);
        }
        await InFlightAsync(0);
        (await ImportAsync(_bob)).Ok();
        // A large body without a declared length.
        (await _bob.PostAsync("files/import", Large)).Ok();
        await InFlightAsync(0);
    }

    [Fact]
    public async Task Documents_versions_and_bytes_above_the_limits_are_refused()
    {
        var file = (await _bob.FilesAsync("letters")).Versions[0];
        await ExecuteAsync("UPDATE documents_file SET number = 1000 WHERE stable_id = @file", new { file });
        Assert.Equal(1_000, (await _bob.SaveNewAsync(file, "<a/>")).Is(429, "limit_reached").Number("limit"));
        await ExecuteAsync("UPDATE documents_file SET number = 998 WHERE stable_id = @file", new { file });
        var added = (await _bob.SaveNewAsync(file, "<a/>")).Ok().Text("file_id")!;

        await ExecuteAsync(
            "UPDATE documents_file SET owner_id = 'bob', size = 2147483648 - 10, deleted_at = 1 WHERE stable_id = @added",
            new { added }
        );
        var full = (await _bob.SaveNewAsync(file, "<aaaaaaaaaaaa/>")).Is(429, "limit_reached");
        Assert.Equal(2_147_483_648, full.Number("limit"));
        object import = new
        {
            xml_string = "<aaaaaaaaaaaa/>",
            collection = "letters",
            title = "One more",
        };
        (await _bob.PostAsync("files/import", import)).Is(429, "limit_reached");
        var carol = await _host.SignInAsync("carol");
        (await carol.PostAsync("files/import", import)).Ok();

        await ExecuteAsync(
            "INSERT INTO documents_document (id, collection_id, title, created_at) "
                + "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT 'x' || i, 'letters', 'X', 0 FROM n",
            new { }
        );
        Assert.Equal(5_000, (await carol.PostAsync("files/import", import)).Is(429, "limit_reached").Number("limit"));
    }

    /// <summary>Sends a large body with a declared length.</summary>
    private static async Task<Answer> ImportAsync(DocumentsClient client)
    {
        using var content = new StringContent(JsonSerializer.Serialize(Large), Encoding.UTF8, "application/json");
        return await client.SendAsync(HttpMethod.Post, "files/import", content);
    }

    /// <summary>
    /// Waits until bodies of this total size are in flight. A request enters and leaves some time after it was sent or ended.
    /// </summary>
    private async Task InFlightAsync(long bytes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (_host.Services.GetRequiredService<LargeBodies>().BytesInFlight != bytes)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private ValueTask<int> ExecuteAsync(string sql, object parameters) =>
        _host
            .Services.GetRequiredService<IStore>()
            .WriteAsync(async (unit, _) => await unit.Connection.ExecuteAsync(sql, parameters, unit.Transaction));

    /// <summary>Sends the headers and the beginning of a body.</summary>
    private async Task<Unfinished> UnfinishedAsync(DocumentsClient client, string path, int length)
    {
        var request = new Unfinished();
        await request.SendAsync(
            _host.Address,
            $"POST /api/v1/{path} HTTP/1.1\r\nHost: {_host.Address.Authority}\r\nAuthorization: {client.Http.DefaultRequestHeaders.Authorization}\r\n"
                + $"Content-Type: application/json\r\nContent-Length: {length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{{\"xml_string\":\""
        );
        return request;
    }

    private sealed class Unfinished : IDisposable
    {
        private readonly TcpClient _socket = new();

        public async Task SendAsync(Uri address, string text)
        {
            await _socket.ConnectAsync(IPAddress.Loopback, address.Port);
            await _socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        }

        public async Task<string?> ReadLineAsync()
        {
            using var reader = new StreamReader(_socket.GetStream(), leaveOpen: true);
            return await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        public void Dispose() => _socket.Dispose();
    }
}
