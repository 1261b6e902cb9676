using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Limits;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Hooks;

/// <summary>One hook, ready for requests. Immutable.</summary>
internal sealed class Hook
{
    /// <summary>The header of an event with the id that the sender gave the request.</summary>
    public const string IdHeader = "webhook-id";

    private const int MaxIdLength = 256;

    private readonly HookSource _source;
    private readonly HookTemplate _topic;
    private readonly HookTemplate _type;

    public Hook(HookSource source)
    {
        _source = source;
        (_topic, _type) = (new HookTemplate(source.Topic), new HookTemplate(source.Type));
        Signature = new HookSignature(source, HookKeys.Read(source, "HookOptions.Sources", []));
        Rate = new UserRate($"requests of the hook '{source.Name}'", source.PerSecond, source.Burst);
    }

    public string Name => _source.Name;

    public int MaxBytes => _source.MaxBytes;

    public HookSignature Signature { get; }

    public UserRate Rate { get; }

    /// <summary>Returns why the templates of a hook cannot work, with the name of the option; null if they can.</summary>
    public static string? TemplateFault(HookSource source)
    {
        var option = nameof(HookSource.Topic);
        try
        {
            var topic = new HookTemplate(source.Topic);
            if (TopicName.Fault(topic.Format(static _ => "x")) is { } fault)
                return $"{option}: {fault}";
            option = nameof(HookSource.Type);
            var type = new HookTemplate(source.Type);
            _ = new EventDraft(TopicName.Parse("x"), type.Format(static _ => "x"), default);
            var readsBody = topic.UsesBody || type.UsesBody || ((topic.UsesEvent || type.UsesEvent) && ReadsEventFromBody(source));
            return readsBody && source.Format != EventFormat.Json
                ? $"{nameof(HookSource.Format)}: a placeholder reads the body, so it must be Json."
                : null;
        }
        catch (Exception exception) when (exception is FormatException or DunlinException)
        {
            return $"{option}: {exception.Message}";
        }
    }

    /// <summary>Returns the event of a verified request.</summary>
    /// <returns>The event and its idempotency key; a null key if requests of this hook have no id.</returns>
    /// <exception cref="DunlinException">The body, the id or a value of a template is missing or not valid.</exception>
    public (EventDraft Draft, IdempotencyKey? Key) Read(IHeaderDictionary headers, ReadOnlyMemory<byte> body)
    {
        using var json = _source.Format == EventFormat.Json ? Parse(ref body) : null;
        if (_source.Format == EventFormat.Text && !Utf8.IsValid(body.Span))
            throw new DunlinException(ErrorCode.InvalidField, "The body is not valid UTF-8.");
        var root = json?.RootElement ?? default;
        var topic = _topic.Format(part => TopicName.Join(ValueOf(part, headers, root)));
        var id = IdOf(headers, root);
        var draft = new EventDraft(TopicName.Parse(topic), _type.Format(part => ValueOf(part, headers, root)), body)
        {
            Format = _source.Format,
            Headers = id is null ? EventDraft.NoHeaders : new Dictionary<string, string>(StringComparer.Ordinal) { [IdHeader] = id },
        };
        return (draft, id is null ? null : new IdempotencyKey("hook:" + Name, KeyOf(id)));
    }

    private static bool ReadsEventFromBody(HookSource source) =>
        source.Scheme != HookScheme.GitHub && !(source is { Scheme: HookScheme.Hmac, EventHeader: not null });

    private static JsonDocument Parse(ref ReadOnlyMemory<byte> body)
    {
        if (body.Span.StartsWith("\uFEFF"u8))
            body = body[3..];
        JsonText.Check(body.Span, JsonTextRules.Data);
        return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = JsonText.MaxDepth });
    }

    private string ValueOf(string placeholder, IHeaderDictionary headers, JsonElement root) =>
        placeholder switch
        {
            HookTemplate.Hook => Name,
            HookTemplate.Event when _source.Scheme == HookScheme.GitHub => Header(headers, HookSignature.GitHubEvent),
            HookTemplate.Event when _source is { Scheme: HookScheme.Hmac, EventHeader: { } name } => Header(headers, name),
            HookTemplate.Event => Member(root, "type"),
            _ => Member(root, placeholder[HookTemplate.BodyPrefix.Length..]),
        };

    private string? IdOf(IHeaderDictionary headers, JsonElement root)
    {
        var id = _source switch
        {
            { Scheme: HookScheme.StandardWebhooks } => Header(headers, HookSignature.StandardId),
            { Scheme: HookScheme.GitHub } => Header(headers, HookSignature.GitHubId),
            { Scheme: HookScheme.Stripe } => Member(root, "id"),
            { IdHeader: { } name } => Header(headers, name),
            _ => null,
        };
        return id is { Length: 0 or > MaxIdLength }
            ? throw new DunlinException(ErrorCode.InvalidField, $"The id of the request must have 1 to {MaxIdLength} characters.")
            : id;
    }

    // The store takes keys of 100 characters without control characters. A digest distinguishes all ids.
    private static string KeyOf(string id) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static string Header(IHeaderDictionary headers, string name) =>
        headers[name] is [{ Length: > 0 } value]
            ? value
            : throw new DunlinException(ErrorCode.InvalidField, $"The request needs one header {name}.", name);

    private static string Member(JsonElement root, string path)
    {
        var value = root;
        foreach (var name in path.Split('.'))
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
                throw new DunlinException(ErrorCode.InvalidField, $"The body has no '{path}'.", path);
        }
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new DunlinException(ErrorCode.InvalidField, $"'{path}' must be a text, a number or a boolean.", path),
        };
    }
}
