using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Mercure;
using Dunlin.Mercure.Forms;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Publishing;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Mercure.Urls;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Fuzz.Targets;

/// <summary>Forms, URLs and patterns of the Mercure hub.</summary>
internal static class MercureTargets
{
    private static readonly MercureHub Hub = new(
        Options.Create(new MercureOptions { Url = "https://hub.example/.well-known/mercure", Dialects = MercureDialects.Both })
    );

    public static FuzzTarget Forms() =>
        new ParserTarget(
            "mercure-forms",
            ReadForms,
            "Dunlin.Mercure.Forms.",
            "Dunlin.Mercure.Publishing.UpdateForm",
            "Dunlin.Mercure.Subscriptions.SubscribeForm",
            "Dunlin.Mercure.Matchers."
        )
        {
            Words =
            [
                "topic=",
                "&match=",
                "&match_urlpattern=",
                "&last_event_id=",
                "&data=",
                "&id=",
                "&type=",
                "&retry=",
                "&private=on",
                "https://example.com/books/{id}",
                "https://example.com/books/:id",
                "%7Bid%7D",
                "{?q*}",
                "{+path}",
                "/.well-known/mercure/",
                "%2e%2e/",
                "%00",
                "%ff",
                "*",
                "&",
                "=",
                "+",
            ],
            Weight = 2,
        };

    public static FuzzTarget Urls() =>
        new ParserTarget("mercure-urls", ReadUrl, "Dunlin.Mercure.Urls.", "Dunlin.Mercure.UrlPatterns.")
        {
            Words =
            [
                "https://",
                "file:///",
                "http:\\\\",
                "mailto:",
                "//",
                "/../",
                "/%2e%2e/",
                "[::1]",
                "[::ffff:1.2.3.4]",
                "0x7f.1",
                "xn--",
                "@",
                ":",
                "?",
                "#",
                "C|/",
                ":id",
                "(\\d+)",
                "{a}?",
                "*",
                "+",
                "(?:",
                "[a-z]",
                "\\p{L}",
                "\u00c3\u00a4",
            ],
            MaxLength = 512,
            Weight = 2,
        };

    private static void ReadForms(byte[] input)
    {
        List<KeyValuePair<string, string>> pairs;
        try
        {
            pairs = FormText.Parse(input);
        }
        catch (FormatException)
        {
            return;
        }
        try
        {
            var form = SubscribeForm.Read(pairs, [], Hub);
            foreach (var text in pairs.Select(static pair => pair.Value).Take(8))
            {
                var topic = new Topic(text, Hub.Url.Url);
                foreach (var matcher in form.Matchers)
                    CheckMatch(matcher, topic);
            }
        }
        catch (FormatException)
        {
            // Refused.
        }
        try
        {
            var fields = pairs
                .GroupBy(static pair => pair.Key, StringComparer.Ordinal)
                .ToDictionary(
                    static group => group.Key,
                    static group => new StringValues([.. group.Select(static pair => pair.Value)]),
                    StringComparer.Ordinal
                );
            UpdateForm.Read(new FormCollection(fields), Hub.Url);
        }
        catch (Exception exception) when (exception is FormatException or UpdateTooLargeException)
        {
            // Refused.
        }
    }

    private static void CheckMatch(TopicMatcher matcher, Topic topic)
    {
        var isMatch = matcher.IsMatch(topic);
        FindingException.Require(
            !isMatch || matcher is UrlPatternMatcher || topic.Text.StartsWith(matcher.Prefix, StringComparison.Ordinal),
            "a matching topic lacks the prefix",
            $"{matcher.Text} {topic.Text}"
        );
        FindingException.Require(
            matcher is not ExactMatcher || isMatch == (matcher.Text == topic.Text),
            "an exact matcher matches otherwise",
            $"{matcher.Text} {topic.Text}"
        );
    }

    // The first line is a URL, the second a pattern.
    private static void ReadUrl(byte[] input)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n', 2);
        var url = WebUrl.Parse(lines[0], Hub.Url.Url);
        if (url is not null)
        {
            var text = Serialise(url);
            var again = WebUrl.Parse(text);
            FindingException.Require(again is not null && Serialise(again) == text, "a URL is read back differently", $"{lines[0]} {text}");
        }
        try
        {
            var pattern = TopicMatcher.Create(TopicMatcher.UrlPattern, lines[^1], Hub.Url.Url);
            pattern.IsMatch(new Topic(lines[0], Hub.Url.Url));
        }
        catch (FormatException)
        {
            // Refused.
        }
    }

    // The URL standard, section 4.5. A path that begins with two slashes gets a dot, so that it is not read as a host.
    private static string Serialise(WebUrl url)
    {
        var text = new StringBuilder(url.Scheme).Append(':');
        if (url.Host is not null)
        {
            text.Append("//");
            if (url.Username.Length + url.Password.Length > 0)
                text.Append(url.Username).Append(url.Password.Length > 0 ? ":" + url.Password : "").Append('@');
            text.Append(url.Host).Append(url.Port.Length > 0 ? ":" + url.Port : "");
        }
        else if (url.OpaquePath is null && url.Path.StartsWith("//", StringComparison.Ordinal))
            text.Append("/.");
        text.Append(url.Path);
        if (url.Query is not null)
            text.Append('?').Append(url.Query);
        if (url.Fragment is not null)
            text.Append('#').Append(url.Fragment);
        return text.ToString();
    }
}
