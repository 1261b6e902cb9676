using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Apps.Common;
using Dunlin.TestKit;

namespace Dunlin.Guides.Tests;

/// <summary>What the guides show beside C# and TypeScript: files of their programs, JSON, and names of settings.</summary>
public sealed partial class PageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "guides");

    /// <summary>The settings of the server, and those that only the host has.</summary>
    private static readonly IReadOnlyDictionary<string, Type> Sections = new SettingSections("the guides")
        .WithEngine()
        .WithMercure()
        .WithHooks()
        .WithWebhooks()
        .Types;

    private static readonly string[] Values = ["Address", "Port", "Data", "Store", "Redis", "TrustedProxies", "Metrics", "MetricsAddress"];

    public static TheoryData<string> Pages() => [.. Directory.EnumerateFiles(Folder, "*.md").Select(page => Path.GetFileName(page))];

    [Theory]
    [InlineData("presence.md", "Presence")]
    [InlineData("offline-list.md", "OfflineList")]
    [InlineData("replicache-back-end.md", "ReplicacheList")]
    [InlineData("edit-together.md", "SharedNotes")]
    public void Files_of_a_guide_are_shown_as_they_are_tested(string page, string program)
    {
        var wwwroot = Path.Combine(Repository.Root, "test", "guides", program, "wwwroot");
        var files = Directory.EnumerateFiles(wwwroot).Select(File.ReadAllText).Order(StringComparer.Ordinal).ToList();
        var text = Read(page);
        var blocks = Repository.Blocks(text, "html").Concat(Repository.Blocks(text, "js")).Order(StringComparer.Ordinal);
        Assert.Equal(files, blocks);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void JSON_of_a_page_can_be_parsed_and_its_settings_exist(string page)
    {
        foreach (var block in Repository.Blocks(Read(page), "json"))
        {
            using var document = JsonDocument.Parse(block);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("Dunlin", out var settings))
            {
                foreach (var section in settings.EnumerateObject())
                {
                    var names =
                        section.Value.ValueKind == JsonValueKind.Object ? section.Value.EnumerateObject().Select(p => p.Name) : [""];
                    foreach (var name in names)
                        AssertKnown(page, section.Name, name);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Settings_named_on_a_page_exist(string page)
    {
        foreach (Match setting in Setting().Matches(Read(page)))
            AssertKnown(page, setting.Groups["section"].Value, setting.Groups["name"].Value);
    }

    private static void AssertKnown(string page, string section, string name)
    {
        var isKnown = Sections.TryGetValue(section, out var type)
            ? type.GetProperty(name) is not null
            : name.Length == 0 && Values.Contains(section, StringComparer.Ordinal);
        Assert.True(isKnown, $"{page}: there is no setting Dunlin__{section}__{name}");
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Folder, page));

    [GeneratedRegex("Dunlin__(?<section>[A-Za-z]+)(?:__(?<name>[A-Za-z]+))?")]
    private static partial Regex Setting();
}
