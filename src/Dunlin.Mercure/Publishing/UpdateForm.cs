using Dunlin.Mercure.Matchers;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Publishing;

/// <summary>Reads the form of a publication: the Mercure protocol, section Publication.</summary>
internal static class UpdateForm
{
    /// <summary>The largest number of topics of one update.</summary>
    public const int MaxTopics = 100;

    /// <summary>The longest topic, id or type, in characters.</summary>
    public const int MaxLength = 2_048;

    /// <summary>Reads the fields. Unknown fields are ignored.</summary>
    /// <param name="form">The fields, decoded.</param>
    /// <param name="hub">The URL of the hub.</param>
    /// <exception cref="FormatException">A field is missing or has a faulty value: 400.</exception>
    /// <exception cref="UpdateTooLargeException">A field is over its limit: 413.</exception>
    public static Update Read(IFormCollection form, HubUrl hub)
    {
        var texts = form["topic"];
        if (texts.Count == 0)
            throw new FormatException("The form must have at least one field 'topic'.");
        Limit("topic", texts.Count, MaxTopics, "fields");
        var topics = new Topic[texts.Count];
        for (var i = 0; i < topics.Length; i++)
            topics[i] = TopicOf(texts[i] ?? "", hub);
        return new Update(topics, DataOf(form), form.ContainsKey("private"), IdOf(form), TypeOf(form), RetryOf(form));
    }

    private static Topic TopicOf(string text, HubUrl hub)
    {
        if (text.Length == 0)
            throw new FormatException("'topic' must not be empty.");
        Limit("topic", text.Length, MaxLength, "characters");
        RequireText("topic", text);
        if (text == TopicMatcher.Wildcard)
            throw new FormatException("The topic '*' cannot be published: it is the matcher of all topics.");
        var topic = new Topic(text, hub.Url);
        return hub.IsReserved(topic)
            ? throw new FormatException($"The topic '{text}' is in the namespace of the hub, which publishes its own updates there.")
            : topic;
    }

    private static string DataOf(IFormCollection form)
    {
        var data = (string?)form["data"].FirstOrDefault() ?? "";
        return data.Contains('\0', StringComparison.Ordinal) ? throw new FormatException("'data' must not contain NUL.") : data;
    }

    private static string? IdOf(IFormCollection form)
    {
        if (form["id"].FirstOrDefault() is not { Length: > 0 } id)
            return null;
        Limit("id", id.Length, MaxLength, "characters");
        RequireText("id", id);
        return id.StartsWith('#') || id == "earliest"
            ? throw new FormatException("'id' must not begin with '#' and must not be 'earliest': ids of the hub do.")
            : id;
    }

    private static string? TypeOf(IFormCollection form)
    {
        if (form["type"].FirstOrDefault() is not { Length: > 0 } type)
            return null;
        Limit("type", type.Length, MaxLength, "characters");
        RequireText("type", type);
        return type == "mercure" ? throw new FormatException("The type 'mercure' is reserved for updates of the hub itself.") : type;
    }

    private static string? RetryOf(IFormCollection form)
    {
        if (form["retry"].FirstOrDefault() is not { } retry)
            return null;
        return retry.Length is > 0 and <= 10 && retry.All(char.IsAsciiDigit)
            ? retry
            : throw new FormatException("'retry' must be a number of milliseconds: one to ten digits.");
    }

    private static void RequireText(string field, string text)
    {
        if (!TopicText.IsValid(text))
            throw new FormatException($"'{field}' must not contain control or format characters.");
    }

    private static void Limit(string field, int size, int limit, string unit)
    {
        if (size > limit)
            throw new UpdateTooLargeException($"'{field}' has {size} {unit}; the limit is {limit}.");
    }
}

/// <summary>A part of a publication is over its limit.</summary>
internal sealed class UpdateTooLargeException(string message) : Exception(message);
