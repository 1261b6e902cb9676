using System.Text;

namespace Dunlin.Documents.Tests;

/// <summary>Invalid input is refused with the field's name and has no effect.</summary>
public sealed class BadInputTests(BadInputTests.Shared shared) : IClassFixture<BadInputTests.Shared>
{
    public sealed class Shared : IAsyncLifetime
    {
        private DocumentsHost _host = null!;

        internal DocumentsClient Alice { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _host = await DocumentsHost.StartAsync();
            Alice = await _host.SignInAsync("alice");
        }

        public ValueTask DisposeAsync() => _host.DisposeAsync();
    }

    [Theory]
    [InlineData("files/save", "", "invalid_json", null)]
    [InlineData("files/save", "{", "invalid_json", null)]
    [InlineData("files/save", "[]", "invalid_field", null)]
    [InlineData("files/save", "{}", "invalid_field", null)]
    [InlineData("files/save", """{"xml_string":"<a/>"}""", "invalid_field", "file_id")]
    [InlineData("files/save", """{"file_id":"x"}""", "invalid_field", "xml_string")]
    [InlineData("files/save", """{"file_id":"x","xml_string":null}""", "invalid_field", "xml_string")]
    [InlineData("files/save", """{"file_id":7,"xml_string":"<a/>"}""", "invalid_field", "file_id")]
    [InlineData("files/save", """{"file_id":"x","xml_string":"<a/>","lease":"7"}""", "invalid_field", "lease")]
    [InlineData("files/save", """{"file_id":"x","xml_string":"<a/>","lease":1e99}""", "invalid_field", "lease")]
    [InlineData("files/save", """{"file_id":"x","xml_string":"<a/>","newVersion":true}""", "unknown_field", "newVersion")]
    [InlineData("files/save", """{"file_id":"x","xml_string":"<a/>","xml_string":"<b/>"}""", "invalid_json", null)]
    [InlineData("files/delete", """{"files":[]}""", "invalid_field", "files")]
    [InlineData("files/delete", """{"files":"x"}""", "invalid_field", "files")]
    [InlineData("files/delete", """{"files":[null]}""", "invalid_field", "files[0]")]
    [InlineData("files/delete", """{"files":["x",null]}""", "invalid_field", "files[1]")]
    [InlineData("files/delete", """{"files":null}""", "invalid_field", "files")]
    [InlineData("files/delete", """{"files":["x"],"leases":{"x":null}}""", "invalid_field", "leases.x")]
    [InlineData("files/delete", """{"files":["x"],"leases":{"y":1}}""", "unknown_field", "leases.y")]
    [InlineData("files/acquire_lock", """{"file":"x"}""", "unknown_field", "file")]
    [InlineData("files/acquire_lock", """{"file_id":"x","wait":1}""", "invalid_field", "wait")]
    [InlineData("files/import", """{"collection":"letters","title":" ","xml_string":"<a/>"}""", "invalid_field", "title")]
    [InlineData("files/import", """{"collection":"letters","title":"a\nb","xml_string":"<a/>"}""", "invalid_field", "title")]
    [InlineData("files/import", """{"collection":"letters","title":"t","xml_string":"<a/>","variant":"a b"}""", "invalid_field", "variant")]
    [InlineData("admin/notifications", """{"message":""}""", "invalid_field", "message")]
    [InlineData("admin/notifications", """{"message":"x","variant":"loud"}""", "invalid_field", "variant")]
    public async Task An_invalid_body_is_refused_with_the_field(string path, string body, string code, string? field)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var refused = (await shared.Alice.SendAsync(HttpMethod.Post, path, content)).Is(400, code);
        if (field is not null)
            Assert.Equal(field, refused.Text("field"));
    }

    [Theory]
    [InlineData("files/acquire_lock", 2_000)]
    [InlineData("files/delete", 70_000)]
    [InlineData("admin/notifications", 5_000)]
    public async Task A_too_large_body_is_refused_with_the_limit(string path, int length)
    {
        using var content = new StringContent($"{{\"x\":\"{new string('x', length)}\"}}", Encoding.UTF8, "application/json");
        var refused = (await shared.Alice.SendAsync(HttpMethod.Post, path, content)).Is(413, "too_large");
        Assert.True(refused.Number("limit") > 0);
    }

    [Fact]
    public async Task Other_invalid_requests_are_refused()
    {
        (await shared.Alice.GetAsync("files/list?variant=a%20b")).Is(400, "invalid_field");
        (await shared.Alice.GetAsync("files/no-such-file")).Is(404, "not_found");
        (
            await shared.Alice.PostAsync(
                "files/save",
                new
                {
                    xml_string = "<a/>",
                    file_id = "x",
                    label = new string('l', 81),
                }
            )
        ).Is(400, "invalid_field");
        (await shared.Alice.PostAsync("files/save", new { xml_string = "<a/>", file_id = "x" }, ("If-Match", "1"))).Is(
            400,
            "invalid_field"
        );
        (await shared.Alice.PostAsync("files/delete", new { files = Enumerable.Range(0, 101).Select(i => $"f{i}") })).Is(
            400,
            "invalid_field"
        );
        using var form = new FormUrlEncodedContent([]);
        (await shared.Alice.SendAsync(HttpMethod.Post, "files/acquire_lock", form)).Is(415, "unsupported_media_type");
    }
}
