using System.Text.RegularExpressions;
using Dapper;
using Dunlin.Journal;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Focus.Tests.Guide;

public sealed class GuideTests
{
    [Fact]
    public void Code_of_the_guide_equals_the_compiled_code()
    {
        var blocks = Regex
            .Matches(Repository.Read("docs/guides/add-a-channel.md"), "```csharp\n(?<text>.*?)```", RegexOptions.Singleline)
            .Select(m => m.Groups["text"].Value.Trim())
            .ToList();
        var regions = Regex
            .Matches(
                Repository.Read("test/Dunlin.Focus.Tests/Guide/AddAChannel.cs"),
                @"#region \w+\n(?<text>.*?)#endregion",
                RegexOptions.Singleline
            )
            .Select(m => Unindented(m.Groups["text"].Value))
            .ToHashSet(StringComparer.Ordinal);
        Assert.Equal(regions.Count, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(block, regions));
    }

    [Fact]
    public async Task Code_of_the_guide_works()
    {
        await using var host = await FocusHost.StartAsync(
            engine =>
            {
                engine.AddNotes();
                engine.Services.AddSingleton<NoteService>();
            },
            app => app.MapNotes()
        );
        await host.Store.WriteAsync(
            async (unit, _) =>
                await unit.Connection.ExecuteAsync(
                    "CREATE TABLE note (user_id TEXT, id TEXT, text TEXT, version BIGINT)",
                    transaction: unit.Transaction
                )
        );
        await using var phone = await host.OpenAsync("phone");
        using var laptop = host.Client("laptop");
        var note = await laptop.OkAsync("POST", "/api/notes", new { text = "Milk" });
        var told = await phone.NextAsync();
        Assert.Equal(("notes:created", "laptop"), (told.Name, told.SourceDeviceId));
        Assert.Equal(note.GetRawText(), told.Payload.GetProperty("note").GetRawText());
        await NotesElsewhere.ReferenceAsync(host.Devices, "ann");
        Assert.Equal("notes:deleted", (await phone.NextAsync()).Name);
    }

    private static string Unindented(string text)
    {
        var lines = text.Split('\n');
        var indent = lines.Where(l => l.Trim().Length > 0).Min(l => l.Length - l.TrimStart().Length);
        return string.Join('\n', lines.Select(l => l.Length >= indent ? l[indent..] : l.TrimStart())).Trim();
    }
}
