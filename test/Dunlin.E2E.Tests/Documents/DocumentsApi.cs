using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>Requests of tests to the server besides the browsers.</summary>
internal sealed class DocumentsApi(HttpClient http) : IDisposable
{
    public static async Task<DocumentsApi> OpenAsync(TestHost host, string user) => new(await host.ClientAsync(user));

    /// <summary>Returns the files of the letter with a source: newest version, gold standard and source.</summary>
    public async Task<(string Version, string Gold, string Source)> LetterAsync()
    {
        var list = await http.GetFromJsonAsync<JsonElement>("/api/v1/files/list");
        var letter = list.GetProperty("documents").EnumerateArray().Single(d => d.GetProperty("pdf").ValueKind == JsonValueKind.Object);
        var files = letter.GetProperty("files").EnumerateArray().ToList();
        return (
            Id(files.First(f => !f.GetProperty("is_gold").GetBoolean())),
            Id(files.Single(f => f.GetProperty("is_gold").GetBoolean())),
            Id(letter.GetProperty("pdf"))
        );
    }

    /// <summary>Returns the first file of the document with a title.</summary>
    public async Task<string> FileOfAsync(string title)
    {
        var list = await http.GetFromJsonAsync<JsonElement>("/api/v1/files/list");
        var document = list.GetProperty("documents").EnumerateArray().Single(d => d.GetProperty("title").GetString() == title);
        return Id(document.GetProperty("files").EnumerateArray().First());
    }

    public Task<string> TextAsync(string file) => http.GetStringAsync(new Uri($"/api/v1/files/{file}", UriKind.Relative));

    /// <summary>Returns the stored text with its byte order mark.</summary>
    public async Task<string> StoredAsync(string file) =>
        System.Text.Encoding.UTF8.GetString(await http.GetByteArrayAsync(new Uri($"/api/v1/files/{file}", UriKind.Relative)));

    public async Task<string[]> LockedByAsync(string file)
    {
        var locks = await http.GetFromJsonAsync<JsonElement>("/api/v1/files/locks");
        return
        [
            .. locks
                .GetProperty("locks")
                .EnumerateArray()
                .Where(l => l.GetProperty("file_id").GetString() == file)
                .Select(l => l.GetProperty("locked_by").GetProperty("name").GetString()!),
        ];
    }

    /// <summary>Returns when the server has noticed that a user's pages are closed.</summary>
    public async Task WhenGoneAsync(string username)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            var sessions = await http.GetFromJsonAsync<JsonElement>("/api/v1/admin/sessions", patience.Token);
            if (
                sessions
                    .GetProperty("sessions")
                    .EnumerateArray()
                    .Where(s => s.GetProperty("username").GetString() == username)
                    .All(s => s.GetProperty("connections").GetInt32() == 0)
            )
                return;
        }
    }

    public async Task PostAsync(string path, object body)
    {
        using var response = await http.PostAsJsonAsync(new Uri("/api/v1/" + path, UriKind.Relative), body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Ends the shared draft of a file without a save.</summary>
    public async Task EndSharingAsync(string file)
    {
        var list = await http.GetFromJsonAsync<JsonElement>("/api/v1/files/list");
        var draft = list.GetProperty("documents")
            .EnumerateArray()
            .SelectMany(document => document.GetProperty("files").EnumerateArray())
            .Single(listed => Id(listed) == file)
            .GetProperty("shared_draft")
            .GetProperty("id")
            .GetString();
        await DeleteAsync($"files/{file}/shared-draft/{draft}");
    }

    public async Task DeleteAsync(string path)
    {
        using var response = await http.DeleteAsync(new Uri("/api/v1/" + path, UriKind.Relative));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Sets the maintenance mode. For administrators.</summary>
    public async Task MaintainAsync(bool on, string message = "")
    {
        using var response = await http.PutAsJsonAsync(new Uri("/api/v1/admin/maintenance", UriKind.Relative), new { on, message });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Advances time in steps, so that the server can do due work: a unit of work exceeds its limit when time jumps.</summary>
    public async Task PassAsync(TestHost host, int seconds)
    {
        for (var i = 0; i < seconds; i += 2)
        {
            host.Time.Advance(TimeSpan.FromSeconds(2));
            await http.GetStringAsync(new Uri("/api/v1/files/locks", UriKind.Relative));
        }
    }

    public void Dispose() => http.Dispose();

    private static string Id(JsonElement file) => file.GetProperty("stable_id").GetString()!;
}
