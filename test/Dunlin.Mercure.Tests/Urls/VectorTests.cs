using System.Text.Json;
using Dunlin.Mercure.UrlPatterns;
using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Tests.Urls;

/// <summary>
/// Compares URLs and URL patterns with answers on which Chromium 156 agrees with Node.js 20 and the npm package urlpattern-polyfill.
/// </summary>
public sealed class VectorTests
{
    [Fact]
    public void Every_url_is_parsed_as_browsers_parse_it()
    {
        var different = new List<string>();
        foreach (var vector in Read("urls.json").EnumerateArray())
        {
            var (input, origin) = (
                vector.GetProperty("input").GetString()!,
                vector.TryGetProperty("base", out var text) ? text.GetString() : null
            );
            var wanted = vector.GetProperty("url");
            var url = WebUrl.Parse(input, origin is null ? null : WebUrl.Parse(origin));
            var (have, want) = (url is null ? "none" : Text(url), wanted.ValueKind == JsonValueKind.Null ? "none" : Text(wanted));
            if (have != want)
                different.Add($"'{input}' on '{origin}': {have}, not {want}");
        }
        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    [Fact]
    public void Every_pattern_matches_the_same_topics_as_the_reference()
    {
        var vectors = Read("patterns.json");
        var hub = WebUrl.Parse(vectors.GetProperty("base").GetString()!);
        var topics = vectors.GetProperty("topics").EnumerateArray().Select(topic => topic.GetString()!).ToList();
        var different = new List<string>();
        foreach (var vector in vectors.GetProperty("patterns").EnumerateArray())
        {
            var text = vector.GetProperty("pattern").GetString()!;
            UrlPattern? pattern = null;
            try
            {
                pattern = UrlPattern.Parse(text, hub);
            }
            catch (FormatException) { }
            var disputed = vector.TryGetProperty("disputed", out var list)
                ? list.EnumerateArray().Select(topic => topic.GetInt32()).ToList()
                : [];
            var want = vector.TryGetProperty("matches", out var matches) ? string.Join(' ', matches.EnumerateArray()) : "faulty";
            var have = pattern is null
                ? "faulty"
                : string.Join(
                    ' ',
                    topics
                        .Index()
                        .Where(topic => WebUrl.Parse(topic.Item, hub) is { } url && pattern.IsMatch(url))
                        .Select(topic => topic.Index)
                        .Except(disputed)
                );
            if (have != want)
                different.Add($"'{text}': {have}, not {want}");
        }
        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    private static string Text(WebUrl url) =>
        string.Join(' ', url.Scheme, url.Username, url.Password, url.Host, url.Port, url.Path, url.Query, url.Fragment);

    private static string Text(JsonElement url) =>
        string.Join(
            ' ',
            new[] { "protocol", "username", "password", "hostname", "port", "pathname", "search", "hash" }.Select(name =>
                url.GetProperty(name).GetString()
            )
        );

    private static JsonElement Read(string name)
    {
        using var stream = typeof(VectorTests).Assembly.GetManifestResourceStream(name)!;
        return JsonDocument.Parse(stream).RootElement;
    }
}
